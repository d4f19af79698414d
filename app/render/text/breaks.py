"""Where a line may end: at spaces, after dashes, and between ideographs.

These are the rules of Unicode line breaking (UAX #14) that a tutorial needs, with the Japanese
and Chinese rules for punctuation (kinsoku shori, JIS X 4051). Korean breaks only at spaces, as its
readers expect. Thai, Lao, Khmer and Burmese break between words
(:mod:`app.render.text.segmentation`), and everything else breaks like Latin.
"""
# ruff: noqa: RUF001 - the punctuation of other scripts is what this module is about

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final

from app.render.model.scripts import HAN_KANA
from app.render.text import segmentation
from app.render.text.emoji import FLAG_LETTERS, JOINER, TONES, between

#: Letters of flags in a row.
_FLAGS: Final = re.compile(f"[{FLAG_LETTERS[0]}-{FLAG_LETTERS[1]}]{{2,}}")
#: Never begin a line (JIS X 4051 kinsoku, and Western closing marks).
_CLOSING: Final = frozenset(
    "、。，．：；？！）」』】〕〉》〗〙ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ…‥・%％"
    ",.;:?!)]}’”»›"
)
#: Never end a line.
_OPENING: Final = frozenset("（「『【〔〈《〖〘([{‘“«‹¿¡")
#: Other characters that never begin a line: dashes, iteration and voicing marks, small kana.
_NO_START: Final = _CLOSING | frozenset("-‐‑–—―〜～゠ゝゞヽヾ〻゛゜ゕゖ〟｝］｡｣､･ｰｧｨｩｪｫｬｭｮｯ°′″℃‰")
#: Other characters that never end a line.
_NO_END: Final = _OPENING | frozenset("〝｛［｢$€£¥￥№#＃＠")
#: A line may end after these, whatever follows.
_FULL_STOPS: Final = frozenset("、。，．：；？！）」』】〕〉》〗〙")
#: Two of the same kind stay together.
_PAIRED: Final = frozenset("―—…‥")
#: No line ends after a joiner of emoji or of words.
_JOINERS: Final = (JOINER, "\u2060", "\ufeff")
#: Joins a consonant to the next one, below or beside it (Indic_Conjunct_Break=Linker of UAX #29,
#: and the same in Khmer and Burmese).
_LINKERS: Final = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\u17d2\u1039")
#: Thai and Lao vowels that are written before their consonant.
_BEFORE_CONSONANT: Final = (("\u0e40", "\u0e44"), ("\u0ec0", "\u0ec4"))
#: Categories of marks that are drawn onto the character before them, and of invisible characters.
_MARKS: Final = frozenset({"Mn", "Me", "Mc", "Cf"})
#: Other characters that are: Japanese voicing marks, the Thai and Lao vowel am.
_VOICED: Final = ("\uff9e", "\uff9f", "\u0e33", "\u0eb3")

_IDEOGRAPHS: Final = rf"{HAN_KANA}\u3200-\u33ff\uff01-\uff65"
_IDEOGRAPH: Final = re.compile(f"[{_IDEOGRAPHS}]")
#: A line may end before and after these: ideographs, kana and emoji.
_FREE: Final = re.compile(rf"[{_IDEOGRAPHS}\U0001f000-\U0001faff]")
#: Spaces at which a line may end; no-break spaces (U+00A0, U+2007, U+202F) are not among them.
SPACES: Final = " \t\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\u3000"
_WORD: Final = re.compile(f"[^{SPACES}]+[{SPACES}]*")
#: A line may end here, and shows a hyphen if it does.
SOFT_HYPHEN: Final = "\u00ad"
#: Where a Western word may break: after a dash or slash, at a zero-width space or soft hyphen.
_IN_WORD: Final = re.compile(rf"(?<=\w[-–—/])(?=\w)|\u200b|{SOFT_HYPHEN}")


def units(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the pieces of a paragraph between which a line may end. Each ends with its spaces."""
    for first, after in _units(text[start:end]):
        yield start + first, start + after


@lru_cache(maxsize=512)
def _units(paragraph: str) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    if paragraph.isascii():
        edges = {match.start() for match in _WORD.finditer(paragraph)}
        edges.update(match.end() for match in _IN_WORD.finditer(paragraph))
        return tuple(pairwise([*sorted(edges), len(paragraph)]))
    for word in _WORD.finditer(paragraph):
        places = [word.start() + place for place in _places(word[0].rstrip(SPACES))]
        found += pairwise([word.start(), *places, word.end()])
    return tuple(found)


@lru_cache(maxsize=4096)
def _places(word: str) -> tuple[int, ...]:
    """Return the places inside a word (without spaces) where a line may end."""
    said = {match.end() for match in _IN_WORD.finditer(word)}
    said.update(segmentation.word_ends(word))
    if not _FREE.search(word):
        return tuple(sorted(place for place in said if 0 < place < len(word)))
    places = []
    base = word[0]  # the character before a place, without the marks on it
    for place in range(1, len(word)):
        if not _drawn_onto(word[place - 1]):
            base = word[place - 1]
        if not joined(word, place) and _may_end(base, word[place], said=place in said):
            places.append(place)
    return tuple(places)


def _may_end(before: str, after: str, *, said: bool) -> bool:
    """Return whether a line may end between two characters of a word that has ideographs."""
    if after in _NO_START or before in _NO_END:
        return False
    if before == after and after in _PAIRED:
        return False
    return said or before in _FULL_STOPS or any(map(_FREE.match, (before, after)))


def is_ideograph(char: str) -> bool:
    """Return whether ``char`` is an ideograph, kana or full-width, and needs no space beside it."""
    return _IDEOGRAPH.match(char) is not None


@lru_cache(maxsize=8192)
def _drawn_onto(char: str) -> bool:
    category = unicodedata.category(char)
    return category in _MARKS or char in _VOICED or between(char, TONES)


def joined(text: str, place: int) -> bool:
    """Return whether a reader sees the characters before and after ``place`` as one.

    Accents, variation selectors, joined emoji, skin tones and the two letters of a flag stay
    together, even where a word is cut because it is longer than a line.
    """
    return _joins(text)[place - 1]


def clusters(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the pieces of ``text[start:end]`` that a reader sees as one character each."""
    joins = _joins(text)
    for place in range(start + 1, end):
        if not joins[place - 1]:
            yield start, place
            start = place
    if start < end:
        yield start, end


@lru_cache(maxsize=8192)
def _leads_on(char: str) -> bool:
    if char in _JOINERS or char in _LINKERS:
        return True
    return any(between(char, ends) for ends in _BEFORE_CONSONANT)


@lru_cache(maxsize=4096)
def _joins(text: str) -> tuple[bool, ...]:
    """Return :func:`joined` for every place. Looking back from each place would take n² steps."""
    joins = [_drawn_onto(after) or _leads_on(before) for before, after in pairwise(text)]
    for flags in _FLAGS.finditer(text):
        for second in range(flags.start() + 1, flags.end(), 2):
            joins[second - 1] = True
    return tuple(joins)
