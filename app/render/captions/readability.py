"""How much caption text a viewer can read.

The limits are those of Netflix's timed text style guides for each language: characters per line
and characters per second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

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

_HAN_KANA: Final = r"\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_IDEOGRAPH: Final = re.compile(rf"[{_HAN_KANA}\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")
_KANA: Final = re.compile(r"[\u3040-\u30ff\uff66-\uff9f]")
_HANGUL: Final = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")


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
    if len(_HANGUL.findall(text)) * 2 > letters:
        return READABILITY["ko"]
    if len(_IDEOGRAPH.findall(text)) * 2 > letters:
        return READABILITY["ja" if _KANA.search(text) else "zh"]
    return DEFAULT_READABILITY
