"""Wrapping: where the lines of a text end, and how wide they are.

A paragraph is shaped once. Where its lines may end is found by the distances of its characters
from its beginning; then the lines are measured by themselves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import sub
from typing import Final

from app.render.text import bidi, fonts
from app.render.text.breaks import SOFT_HYPHEN, joined, units
from app.render.text.embeddings import still_open
from app.render.text.fonts import Fonts
from app.render.text.phrases import has_phrases, phrases
from app.render.text.runs import runs

#: Halvings of the widths between which the evenest is sought: to less than 1 % of the width.
_HALVINGS: Final = 7
#: A piece by itself is as wide as in its paragraph, or differs by less than this share.
_SURELY: Final = 0.8
#: Least difference of two widths that are tried, in ems.
_STEP: Final = 0.01

#: Characters that are not seen at the end of a line, or otherwise.
_ENDS: Final = re.compile(rf"\s|{SOFT_HYPHEN}")

#: The first character of a piece of text, and the one after its last.
Piece = tuple[int, int]


@lru_cache(maxsize=32_768)
def ems(known: Fonts, text: str, *, bold: bool, rtl: bool) -> float:
    """Return the width of one line of ``text`` in ems; ``known`` are the current fonts."""
    del known  # runs() asks for them
    return sum(run.length(1.0, bold=bold) for run in runs(text, rtl=rtl))


@dataclass(frozen=True, slots=True)
class _Measured:
    """A text whose paragraphs were shaped as they are, in ems.

    Attributes:
        starts: How far each character is from the beginning of its paragraph. The advance of a
            ligature, or of a letter with marks, counts with its first character.
        ends: How far a line is seen that ends before a character: to its last letter or hyphen.
        bonds: Places where a line would be shaped otherwise than its paragraph.
        words: Its paragraphs by where they begin, in pieces; but those whose pieces depend on
            the width of the line.
    """

    starts: Sequence[float]
    ends: Sequence[float]
    bonds: frozenset[int]
    words: Mapping[int, _Pieces]


class _Pieces:
    """The pieces of a paragraph, in order, and how far each begins and is seen, in ems.

    Attributes:
        seen: Width of the widest, without the spaces at its end.
        whole: Width of the widest, with them.
    """

    def __init__(
        self, pieces: Sequence[Piece], starts: Sequence[float], ends: Sequence[float]
    ) -> None:
        self.pieces = pieces
        self.starts = [starts[start] for start, _ in pieces]
        self.ends = [ends[end] for _, end in pieces]
        self.seen = max(map(sub, self.ends, self.starts), default=0.0)
        self.whole = max([starts[end] - starts[start] for start, end in pieces], default=0.0)


@lru_cache(maxsize=512)
def _measured(known: Fonts, text: str, *, bold: bool, rtl: bool) -> _Measured:
    hyphen = ems(known, "-", bold=bold, rtl=rtl) if SOFT_HYPHEN in text else 0.0
    starts: list[float] = []
    ends: list[float] = []
    bonds: set[int] = set()
    words: dict[int, int] = {}
    for paragraph in text.split("\n"):
        start, advances = len(starts), [0.0] * len(paragraph)
        cut = runs(paragraph, rtl=rtl)
        for run in cut:
            glyphs, bound = run.advances(bold=bold)
            for place, advance in glyphs:
                advances[place] += advance
            bonds.update([start + place for place in bound])
        if len(cut) > 1 or hyphen:  # a sign at the end of a line may go with another letter
            bonds.update(range(start, start + len(paragraph)))
        starts += accumulate(advances, initial=0.0)
        ends += starts[start:]
        for match in _ENDS.finditer(paragraph):
            end = start + match.end()
            ends[end] = ends[end] + hyphen if match[0] == SOFT_HYPHEN else ends[end - 1]
        if not has_phrases(paragraph):
            words[start] = start + len(paragraph)
    pieces = {
        start: _Pieces(tuple(units(text, start, end)), starts, ends) for start, end in words.items()
    }
    return _Measured(starts, ends, frozenset(bonds), pieces)


class Wrapper:
    """Wraps one text. All lengths are in ems, so that they hold for any size.

    Args:
        text: The text, cleaned.
        bold: Whether in bold faces.

    Attributes:
        rtl: Whether the text is written from right to left.
        cut: Whether a word was wider than a line and had to be cut.
    """

    def __init__(self, text: str, *, bold: bool) -> None:
        self.text, self.bold = text, bold
        self.rtl = bidi.mostly_rtl(text)
        self.cut = False
        self._known = fonts.current()
        found = _measured(self._known, text, bold=bold, rtl=self.rtl)
        self._starts, self._ends, self._bonds = found.starts, found.ends, found.bonds
        self._words = found.words

    def width(self, start: int, end: int) -> float:
        """Return the width of a line of these characters."""
        end = start + len(self.text[start:end].rstrip())
        if self._bonds.isdisjoint((start, end)):
            return self._starts[end] - self._starts[start]
        return ems(self._known, self.shown(start, end), bold=self.bold, rtl=self.rtl)

    def shown(self, start: int, end: int) -> str:
        """Return what a line of these characters shows: a soft hyphen is seen at its end alone."""
        opened = still_open(self.text[self.text.rfind("\n", 0, start) + 1 : start])
        piece = self.text[start:end].rstrip()
        if SOFT_HYPHEN in piece:
            hyphen = "-" if piece.endswith(SOFT_HYPHEN) else ""
            piece = piece.replace(SOFT_HYPHEN, "") + hyphen
        return opened + piece

    def lines(self, limit: float) -> Iterator[Piece]:
        """Yield the lines of the text, none wider than ``limit`` if that can be.

        The lines of a paragraph are as few as can be, and as even as they come.
        """
        start = 0
        for paragraph in self.text.split("\n"):
            end = start + len(paragraph)
            yield from self._wrapped(start, end, limit) if paragraph else [(start, start)]
            start = end + 1

    def _wrapped(self, start: int, end: int, limit: float) -> list[Piece]:
        found = self._pieces(start, end, limit)
        pieces = found.pieces
        if not pieces:  # spaces alone
            return [(start, start)]
        aim = limit
        while True:
            lines = _balanced(found, aim)
            several = [line for line in lines if line not in pieces]
            # By itself a line may be wider than in its paragraph: its first sign in another font.
            over = max((self.width(*line) - limit for line in several), default=0.0)
            if over <= 0:
                return lines
            aim -= max(over, _STEP)

    def _pieces(self, start: int, end: int, limit: float) -> _Pieces:
        far = self._starts
        known = self._words.get(start)
        if known and known.whole < _SURELY * limit:
            return known
        found = phrases(self.text, start, end, lambda a, b: self._ends[b] - far[a] <= limit)
        pieces: list[Piece] = []
        for first, after in found:
            if far[after] - far[first] < _SURELY * limit:
                pieces.append((first, after))
            else:
                pieces += self._broken(first, after, limit)
        return _Pieces(pieces, far, self._ends)

    def _broken(self, start: int, end: int, limit: float) -> Iterator[Piece]:
        """Cut a piece that is wider than ``limit`` between its characters."""
        while not self._fits(start, end, limit):
            low, high = start + 1, end
            while low < high:  # the longest head that fits, at least one character
                middle = (low + high + 1) // 2
                if self._fits(start, middle, limit):
                    low = middle
                else:
                    high = middle - 1
            while low < end and joined(self.text, low):
                low += 1
            if low >= end:
                break
            self.cut = True
            yield start, low
            start = low
        yield start, end

    def _fits(self, start: int, end: int, limit: float) -> bool:
        """Return whether a piece by itself fits; only if it nearly does, it has to be measured."""
        about = self._ends[end] - self._starts[start]
        if not _SURELY < about / limit < 1 / _SURELY:
            return about <= limit
        return self.width(start, end) <= limit


def _balanced(found: _Pieces, limit: float) -> list[Piece]:
    """Fill the fewest lines that ``limit`` allows, as evenly as they come."""
    starts, ends, pieces = found.starts, found.ends, found.pieces
    counts = _filled(starts, ends, limit)
    most, low, high = len(counts), found.seen, limit
    if most > 1 and low < high:
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            trial = _filled(starts, ends, middle, most=most)
            if trial[-1] == len(pieces):
                counts, high = trial, middle
            else:
                low = middle
    firsts = [0, *counts[:-1]]
    return [(pieces[a][0], pieces[b - 1][1]) for a, b in zip(firsts, counts, strict=True)]


def _filled(
    starts: Sequence[float], ends: Sequence[float], limit: float, *, most: int | None = None
) -> list[int]:
    """Put as many pieces into each line as fit, and return how many there are up to its end.

    With ``most``, what is left after so many lines is left out.
    """
    counts: list[int] = []
    first = 0
    while first < len(starts) and len(counts) != most:
        after = max(bisect_right(ends, starts[first] + limit, first), first + 1)
        while after > first + 1 and ends[after - 1] - starts[first] > limit:
            after -= 1  # a hyphen may be wider than what comes after it
        counts.append(after)
        first = after
    return counts
