"""The script of each character: HarfBuzz shapes a run of one script at a time (UAX #24)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import uharfbuzz as hb

#: The script of a text that has letters of none: spaces, digits, punctuation alone.
COMMON: Final = "Zyyy"


def scripts(text: str) -> list[str]:
    """Return the script of each character of ``text``, as four letters of ISO 15924.

    Characters that several scripts share take the script before them, or at the beginning of
    the text the first one after them.
    """
    found = [_script(char) for char in text]
    current = next(filter(None, found), COMMON)
    result = []
    for script in found:
        current = script or current
        result.append(current)
    return result


@lru_cache(maxsize=8192)
def _script(char: str) -> str:
    """Return the script of ``char``; "" if it is shared (Common) or inherited."""
    buffer = hb.Buffer()
    buffer.add_str(char)
    buffer.guess_segment_properties()
    return buffer.script or ""
