"""Emoji: which characters of a text make one, and whether it is meant in colour.

After Unicode Technical Standard 51 (https://www.unicode.org/reports/tr51/). What a
font makes of a sequence is its own affair; here is only what belongs together.
"""

from __future__ import annotations

import re
from typing import Final

#: Joins two emoji into one.
JOINER: Final = "\u200d"
#: Tones of skin, which change the emoji before them.
TONES: Final = ("\U0001f3fb", "\U0001f3ff")
#: Letters of flags; two of them are one flag.
FLAG_LETTERS: Final = ("\U0001f1e6", "\U0001f1ff")

#: Of the Basic Multilingual Plane, those that are coloured unless something else is
#: said (Emoji_Presentation of Unicode's emoji-data.txt).
_COLOURED: Final = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1"
    "\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705"
    "\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50"
    "\u2b55"
)
_PICTURES: Final = "\U0001f000-\U0001faff"
_FLAG: Final = r"[\U0001f1e6-\U0001f1ff]{2}"
_KEYCAP: Final = r"[0-9#*]\ufe0f\u20e3"
_MODIFIED: Final = r"(?:\ufe0f|[\U0001f3fb-\U0001f3ff])"
_SELECTED: Final = rf"(?:[\u2139\u24c2]\ufe0f|[^\s\w\ufe0f]{_MODIFIED})"
_ONE: Final = rf"(?:[{_COLOURED}{_PICTURES}](?!\ufe0e){_MODIFIED}?|{_SELECTED})"
#: One after a joiner may be a plain sign, as the heart and the wings are.
_NEXT: Final = rf"\u200d[^\s\w]{_MODIFIED}?"
_TAGS: Final = r"[\U000e0020-\U000e007e]+\U000e007f"

#: A sequence of characters that is shown as one coloured picture.
SEQUENCE: Final = re.compile(rf"{_FLAG}|{_KEYCAP}|{_ONE}(?:{_TAGS}|(?:{_NEXT})*)")


def between(char: str, ends: tuple[str, str]) -> bool:
    """Return whether ``char`` is one of a range of characters."""
    return ends[0] <= char <= ends[1]
