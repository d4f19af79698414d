"""Words of Thai, Lao, Khmer and Burmese, which are written without spaces between them.

ICU's dictionaries find the words. The extra ``segmentation`` (icu4py) brings them, which is 42 MB;
without it only spaces and U+200B part words of these scripts.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Final

from app.render.model.scripts import SPACELESS

if TYPE_CHECKING:
    from icu4py.breakers import LineBreaker

_STRETCH: Final = re.compile(rf"{SPACELESS.pattern}+")
#: A stretch of these scripts that may be wider than a line, if no words are known in it.
_LONG: Final = re.compile(rf"{SPACELESS.pattern}{{12}}")
#: What a text of these scripts needs that was written for a machine without the extra.
MISSING_WORDS: Final = (
    "lines of Thai, Lao, Khmer or Burmese may break inside words; put U+200B between words, or "
    "install mobius-preview-worker[segmentation]"
)


@lru_cache(maxsize=4096)
def word_ends(text: str) -> tuple[int, ...]:
    """Return the places inside ``text`` where a word of these scripts ends and a line may."""
    breaker = _breaker()
    if breaker is None:
        return ()
    ends: list[int] = []
    for stretch in _STRETCH.finditer(text):
        # All in it is in the BMP: ICU counts in UTF-16.
        segments = breaker(stretch[0], "").segments()
        ends += [stretch.start() + end for _, end in segments if end < len(stretch[0])]
    return tuple(ends)


def lacks_words(text: str) -> bool:
    """Return whether ``text`` has a long stretch of these scripts, and no words are known in it."""
    return _LONG.search(text) is not None and _breaker() is None


@cache
def version() -> str:
    """Return the version of icu4py, whose dictionaries decide where lines end; "" without it."""
    try:
        return metadata.version("icu4py")
    except metadata.PackageNotFoundError:
        return ""


@cache
def _breaker() -> type[LineBreaker] | None:
    try:
        from icu4py.breakers import LineBreaker  # noqa: PLC0415 - 42 MB, for these scripts alone
    except ImportError:
        return None
    return LineBreaker
