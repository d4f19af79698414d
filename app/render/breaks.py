"""Where a line may end: at spaces, after dashes, and between ideographs.

The rules of Unicode's line breaking (UAX #14) that a tutorial needs, with those of
Japanese and Chinese for punctuation (kinsoku shori, JIS X 4051). Korean is broken
at its spaces alone, as its readers expect, and everything else like Latin.
"""
# ruff: noqa: RUF001 - the punctuation of other scripts is what this module is about

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from app.render.emoji import FLAG_LETTERS, JOINER, TONES, between

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Never begin a line (JIS X 4051 kinsoku, and Western closing marks).
CLOSING: Final = frozenset(
    "、。，．：；？！）」』】〕〉》〗〙ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ…‥・%％"
    ",.;:?!)]}’”»›"
)
#: Never end a line.
OPENING: Final = frozenset("（「『【〔〈《〖〘([{‘“«‹¿¡")
#: More that must not begin a line: dashes, marks of repetition and of voice, small kana.
_NO_START: Final = CLOSING | frozenset("-‐‑–—―〜～゠ゝゞヽヾ〻゛゜ゕゖ〟｝］｡｣､･ｰｧｨｩｪｫｬｭｮｯ°′″℃‰")
#: More that must not end one.
_NO_END: Final = OPENING | frozenset("〝｛［｢$€£¥￥№#＃＠")
#: After these a line may end, whatever comes.
_FULL_STOPS: Final = frozenset("、。，．：；？！）」』】〕〉》〗〙")
#: Two of a kind stay together.
_PAIRED: Final = frozenset("―—…‥")
#: Nothing is parted after a joiner of emoji or of words.
_JOINERS: Final = (JOINER, "\u2060", "\ufeff")
#: Marks that are drawn onto what stands before them, and what has no place of its own.
_MARKS: Final = frozenset({"Mn", "Me", "Mc", "Cf"})
_VOICED: Final = ("\uff9e", "\uff9f")

_IDEOGRAPHS: Final = (
    r"\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3200-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\uff01-\uff9f\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_IDEOGRAPH: Final = re.compile(f"[{_IDEOGRAPHS}]")
_WORD: Final = re.compile(r"[^ \u3000]+[ \u3000]*")
_SPACES: Final = " \u3000"
#: Where a Western word may be broken: after a dash or slash, and where its author says so.
_IN_WORD: Final = re.compile(r"(?<=\w[-–—/])(?=\w)|\u200b")


def units(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the pieces of a paragraph between which a line may end, spaces at their ends."""
    for word in _WORD.finditer(text[start:end]):
        begin = word.start()
        for place in _places(word[0].rstrip(_SPACES)):
            yield start + begin, start + word.start() + place
            begin = word.start() + place
        yield start + begin, start + word.end()


@lru_cache(maxsize=4096)
def _places(word: str) -> tuple[int, ...]:
    """Return the places inside of a word, which has no spaces, where a line may end."""
    said = [match.end() for match in _IN_WORD.finditer(word)]
    if not _IDEOGRAPH.search(word):
        return tuple(place for place in said if 0 < place < len(word))
    return tuple(place for place in range(1, len(word)) if _may_end(word, place, said))


def _may_end(word: str, place: int, said: Sequence[int]) -> bool:
    """Return whether a line may end at ``place`` of a word with ideographs."""
    before, after = _base(word, place), word[place]
    if after in _NO_START or before in _NO_END or joined(word, place):
        return False
    if before == after and after in _PAIRED:
        return False
    return (
        place in said
        or before in _FULL_STOPS
        or any(_IDEOGRAPH.match(char) for char in (before, after))
    )


def _base(word: str, place: int) -> str:
    """Return the character before ``place``, without the marks on it."""
    while place > 1 and _drawn_onto(word[place - 1]):
        place -= 1
    return word[place - 1]


def _drawn_onto(char: str) -> bool:
    category = unicodedata.category(char)
    return category in _MARKS or char in _VOICED or between(char, TONES)


def joined(text: str, place: int) -> bool:
    """Return whether the characters before and after ``place`` are one to the reader.

    Accents and selectors, joined emoji, tones of skin and the two letters of a flag are
    not parted, not even where a word is cut because it is longer than a line.
    """
    before, after = text[place - 1], text[place]
    if _drawn_onto(after):
        return True
    if before in _JOINERS:
        return True
    if not (between(before, FLAG_LETTERS) and between(after, FLAG_LETTERS)):
        return False
    letters = 0
    while letters < place and between(text[place - 1 - letters], FLAG_LETTERS):
        letters += 1
    return letters % 2 == 1
