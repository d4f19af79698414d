"""How much caption text a viewer can read.

The limits are those of Netflix's timed text style guides for each language: characters per line
and characters per second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.render.model.scripts import HANGUL, IDEOGRAPH, KANA

#: Lines of a cue.
MAX_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class Readability:
    """Limits of readable captions.

    Attributes:
        line: Characters per line.
        speed: Characters per second.
    """

    line: int
    speed: int


#: Limits by primary language subtag. Other languages use ``DEFAULT_READABILITY``.
READABILITY: Final = {"zh": Readability(16, 9), "ja": Readability(13, 4), "ko": Readability(16, 12)}
#: Limits of alphabetic scripts.
DEFAULT_READABILITY: Final = Readability(42, 17)


def readability(language: str, text: str) -> Readability:
    """Return the limits for ``text``.

    A Chinese, Japanese or Korean ``language`` decides by itself. For any other, the script of
    the text decides: 42 ideographs are twice as wide as a frame.
    """
    known = READABILITY.get(language.split("-", maxsplit=1)[0].lower())
    if known is not None:
        return known
    if text.isascii():
        return DEFAULT_READABILITY
    letters = len("".join(text.split())) or 1
    if len(HANGUL.findall(text)) * 2 > letters:
        return READABILITY["ko"]
    if len(IDEOGRAPH.findall(text)) * 2 > letters:
        return READABILITY["ja" if KANA.search(text) else "zh"]
    return DEFAULT_READABILITY
