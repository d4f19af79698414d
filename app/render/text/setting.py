"""Setting text: cleaning, wrapping to a width and measuring.

Widths are the fonts' real advances as shaped by HarfBuzz; heights take the
fonts' ascent and descent and, where marks pile up higher, the ink itself, so
that nothing is ever clipped.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.render.text import bidi, fonts
from app.render.text.breaks import SOFT_HYPHEN, joined
from app.render.text.embeddings import still_open
from app.render.text.fonts import Fonts
from app.render.text.phrases import phrases
from app.render.text.runs import runs
from app.render.text.shaping import metrics

#: Noto's ascent leaves room for two storeys of accents; lines are set with this
#: share of it, and with more where a line's ink really reaches higher.
ASCENT_SHARE: Final = 0.88
#: More marks than this on one letter are noise that would tower over the line.
_MAX_MARKS: Final = 4
#: Soft hyphens at which no word is divided.
_IDLE_HYPHENS: Final = re.compile(rf"{SOFT_HYPHEN}+(?=\s|$)")
#: Ends of sentences, where a page may end.
_SENTENCE_END: Final = re.compile(r"[.!?…]['\"”’)\]]*\s+|[。！？]\s*")  # noqa: RUF001 - full-width signs


@dataclass(frozen=True, slots=True)
class Line:
    """One line, as it is shown: characters ``start`` to ``end`` of the text; width in pixels."""

    text: str
    start: int
    end: int
    width: float


@dataclass(frozen=True, slots=True)
class Block:
    """A text set at a size. All in pixels; ``ascents`` and ``descents`` are per line.

    ``broken`` tells that a word was wider than a line and had to be cut; ``overhang``
    is how far ink may reach outside its advances.
    """

    lines: tuple[Line, ...]
    size: float
    bold: bool
    rtl: bool
    ascents: tuple[float, ...]
    descents: tuple[float, ...]
    broken: bool
    overhang: float

    @property
    def width(self) -> float:
        """Width of the longest line, with the room for overhanging ink."""
        return max((line.width for line in self.lines), default=0.0) + 2 * self.overhang

    @property
    def height(self) -> float:
        """Height from the first line's ascent to the last line's descent."""
        return sum(self.ascents) + sum(self.descents)


def clean(text: str) -> str:
    """Return ``text`` as it is set: composed, without control characters and piles of marks.

    Every mandatory break (UAX #14: U+2028, U+2029, U+0085, …) becomes a line feed.
    """
    text = unicodedata.normalize("NFC", "\n".join(text.splitlines()))
    result: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in "\n\t":
            result.append(" " if char == "\t" else char)
        elif marks <= _MAX_MARKS and category not in ("Cc", "Cs"):
            result.append(char)
    composed = _IDLE_HYPHENS.sub("", "".join(result))
    return re.sub(r"\n{3,}", "\n\n", composed).strip()


def advance(text: str, size: float, *, bold: bool, rtl: bool) -> float:
    """Return the width of one line of ``text`` in pixels."""
    return _ems(fonts.current(), text, bold, rtl) * size


@lru_cache(maxsize=32768)
def _ems(
    _: Fonts,
    text: str,
    bold: bool,  # noqa: FBT001 - a cache key
    rtl: bool,  # noqa: FBT001 - as above
) -> float:
    return sum(run.shaped(bold=bold).advance for run in runs(text, rtl=rtl))


def _extent(text: str, size: float, *, bold: bool, rtl: bool) -> tuple[float, float]:
    """Return how far a line reaches above and below its base line."""
    known = fonts.current()
    ascent, descent = metrics(fonts.vendored()[0].face(bold=bold))
    ascent, descent = math.ceil(ascent * size * ASCENT_SHARE), math.ceil(descent * size)
    if text.isascii() and not known.brand:
        return ascent, descent
    for run in runs(text, rtl=rtl):
        above, below = run.reach(size, bold=bold)
        ascent, descent = max(ascent, math.ceil(above)), max(descent, math.ceil(below))
    return ascent, descent


class _Setter:
    """Sets one text at one size; widths of pieces are measured once."""

    def __init__(self, text: str, *, size: float, bold: bool) -> None:
        self.text, self.size, self.bold = text, size, bold
        self.rtl = bidi.mostly_rtl(text)
        self.plain = text.isascii() and not fonts.current().brand
        self.cut = False

    def shown(self, start: int, end: int) -> str:
        """Return what a line of these characters shows: a soft hyphen is seen at its end alone."""
        piece = self.text[start:end].rstrip()
        if SOFT_HYPHEN not in piece:
            return piece
        return piece.replace(SOFT_HYPHEN, "") + ("-" if piece.endswith(SOFT_HYPHEN) else "")

    def width(self, start: int, end: int) -> float:
        return self.advance(self.shown(start, end))

    def advance(self, text: str) -> float:
        return advance(text, self.size, bold=self.bold, rtl=self.rtl)

    def paragraphs(self) -> Iterator[tuple[int, int]]:
        start = 0
        for paragraph in self.text.split("\n"):
            yield start, start + len(paragraph)
            start += len(paragraph) + 1

    def broken(self, start: int, end: int, limit: float) -> Iterator[tuple[int, int]]:
        """Cut a piece that is wider than ``limit`` between its characters."""
        while self.width(start, end) > limit:
            low, high = start + 1, end
            while low < high:  # the longest head that fits, at least one character
                middle = (low + high + 1) // 2
                if self.width(start, middle) <= limit:
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

    def pieces(self, start: int, end: int, limit: float) -> list[tuple[int, int]]:
        found = phrases(self.text, start, end, lambda a, b: self.width(a, b) <= limit)
        return [piece for unit in found for piece in self.broken(*unit, limit)]

    def fill(self, pieces: list[tuple[int, int]], limit: float) -> list[tuple[int, int]]:
        """Put pieces into lines, as many in each as fit."""
        lines: list[tuple[int, int]] = []
        first = 0
        while first < len(pieces):
            last = self._last(pieces, first, limit)
            lines.append((pieces[first][0], pieces[last][1]))
            first = last + 1
        return lines

    def _last(self, pieces: list[tuple[int, int]], first: int, limit: float) -> int:
        """Return the last of the pieces that fit a line which begins with ``first``."""
        last, used = first, 0.0
        while last + 1 < len(pieces):
            start, end = pieces[last]
            used += self.advance(self.text[start:end].replace(SOFT_HYPHEN, ""))
            if used + self.width(*pieces[last + 1]) > limit:
                break
            last += 1
        # Side by side, pieces may be wider than alone: punctuation takes its neighbours' font.
        while last > first and not self.plain and self.width(*_whole(pieces, first, last)) > limit:
            last -= 1
        return last

    def balanced(self, pieces: list[tuple[int, int]], limit: float) -> list[tuple[int, int]]:
        """Fill the fewest lines that ``limit`` allows, as evenly as they come."""
        lines = self.fill(pieces, limit)
        low, high = max((self.width(*piece) for piece in pieces), default=0.0), limit
        if len(lines) == 1 or low >= high:
            return lines
        for _ in range(7):  # to less than 1 % of the width
            middle = (low + high) / 2
            trial = self.fill(pieces, middle)
            if len(trial) == len(lines):
                lines, high = trial, middle
            else:
                low = middle
        return lines


def _whole(pieces: list[tuple[int, int]], first: int, last: int) -> tuple[int, int]:
    return pieces[first][0], pieces[last][1]


def set_text(text: str, *, width: float, size: float, bold: bool) -> Block:
    """Wrap ``text`` (cleaned) to ``width`` pixels at ``size`` pixels an em.

    Lines are balanced; a word longer than a line is broken between characters.
    """
    return _set_text(fonts.current(), text, width, size, bold)


@lru_cache(maxsize=512)
def _set_text(
    known: Fonts,
    text: str,
    width: float,
    size: float,
    bold: bool,  # noqa: FBT001 - a cache key
) -> Block:
    setter = _Setter(text, size=size, bold=bold)
    overhang = known.overhang * size
    limit = max(width - 2 * overhang, 1.0)
    lines: list[Line] = []
    for start, end in setter.paragraphs():
        pieces = setter.pieces(start, end, limit)
        for first, last in setter.balanced(pieces, limit) or [(start, start)]:
            shown = still_open(text[start:first]) + setter.shown(first, last)
            lines.append(Line(shown, first, last, setter.advance(shown)))
    extents = [_extent(line.text, size, bold=bold, rtl=setter.rtl) for line in lines]
    return Block(
        lines=tuple(lines),
        size=size,
        bold=bold,
        rtl=setter.rtl,
        ascents=tuple(extent[0] for extent in extents),
        descents=tuple(extent[1] for extent in extents),
        broken=setter.cut,
        overhang=overhang,
    )


def paginate(text: str, *, width: float, height: float, size: float, bold: bool) -> tuple[str, ...]:
    """Cut ``text`` (cleaned) into pages that fit ``width`` by ``height`` pixels at ``size``.

    Pages are of about equal length and end with a sentence where one ends near.
    """
    pages: list[str] = []
    whole = set_text(text, width=width, size=size, bold=bold)
    target = height
    if whole.height > height:
        target = min(height, whole.height / math.ceil(whole.height / height) + 2 * size)
    rest = text
    while rest:
        block = set_text(rest, width=width, size=size, bold=bold)
        if block.height <= height:
            pages.append(rest)
            break
        cut = _page_end(rest, block, target)
        pages.append(rest[:cut].strip())
        rest = still_open(rest[:cut].rpartition("\n")[2]) + rest[cut:].strip()
    return tuple(pages) or ("",)


def _page_end(text: str, block: Block, height: float) -> int:
    used, count = 0.0, 0
    for ascent, descent in zip(block.ascents, block.descents, strict=True):
        if count and used + ascent + descent > height:
            break
        used += ascent + descent
        count += 1
    end = block.lines[count - 1].end
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, end)]
    return ends[-1] if ends and ends[-1] > end * 0.6 else end
