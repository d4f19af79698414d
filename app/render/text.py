"""Setting text: cleaning, wrapping to a width, measuring and drawing.

Widths are the fonts' real advances as shaped by HarfBuzz; heights take the
fonts' ascent and descent and, where marks pile up higher, the ink itself, so
that nothing is ever clipped.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from app.render import bidi, fonts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import ImageDraw

    from app.render.storyboard import Colour

#: Noto's ascent leaves room for two storeys of accents; lines are set with this
#: share of it, and with more where a line's ink really reaches higher.
ASCENT_SHARE: Final = 0.88
#: Ink may reach so far outside a line's advances (a "j" does), in ems.
OVERHANG: Final = 0.09
#: More marks than this on one letter are noise that would tower over the line.
_MAX_MARKS: Final = 4
#: Ends of sentences, where a page may end.
_SENTENCE_END: Final = re.compile(r"[.!?…]['\"”’)\]]*\s+|[。！？]\s*")  # noqa: RUF001 - full-width signs
_CJK: Final = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
#: Signs that must not begin a line (kinsoku shori, the common ones).
_NO_START: Final = "、。，．・：；？！）」』】〕〉》ー々％"  # noqa: RUF001 - full-width signs
#: Where a word may be broken: between CJK characters, after a dash or slash.
_BREAK: Final = re.compile(
    rf"(?<=[{_CJK}])(?![{_NO_START}\s])|(?<=[^\s{_CJK}])(?=[{_CJK}])(?![{_NO_START}])"
    r"|(?<=\w[-–—/])(?=\w)|\u200b"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: characters ``start`` to ``end`` of the text, its width in pixels."""

    text: str
    start: int
    end: int
    width: float


@dataclass(frozen=True, slots=True)
class Block:
    """A text set at a size. All in pixels; ``ascents`` and ``descents`` are per line.

    ``broken`` tells that a word was wider than a line and had to be cut.
    """

    lines: tuple[Line, ...]
    size: float
    bold: bool
    rtl: bool
    ascents: tuple[float, ...]
    descents: tuple[float, ...]
    broken: bool

    @property
    def width(self) -> float:
        """Width of the longest line, with the room for overhanging ink."""
        return max((line.width for line in self.lines), default=0.0) + 2 * OVERHANG * self.size

    @property
    def height(self) -> float:
        """Height from the first line's ascent to the last line's descent."""
        return sum(self.ascents) + sum(self.descents)


def clean(text: str) -> str:
    """Return ``text`` as it is set: composed, without control characters and piles of marks."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    result: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in "\n\t":
            result.append(" " if char == "\t" else char)
        elif marks <= _MAX_MARKS and category not in ("Cc", "Cs"):
            result.append(char)
    return re.sub(r"\n{3,}", "\n\n", "".join(result)).strip()


@lru_cache(maxsize=16384)
def _runs(text: str, rtl: bool) -> tuple[tuple[str, str, bool], ...]:  # noqa: FBT001 - a cache key
    """Cut one line into (characters, family, right to left), as seen from the left."""
    if text.isascii() and not rtl:
        return ((text, fonts.BASE_FAMILY, False),)
    levels = bidi.levels(text, rtl=rtl)
    pieces: list[tuple[int, int, str, int]] = []
    family = fonts.BASE_FAMILY
    for index, char in enumerate(text):
        family = fonts.family_of(char, previous=family) or fonts.BASE_FAMILY
        if pieces and pieces[-1][2:] == (family, levels[index]):
            pieces[-1] = (pieces[-1][0], index + 1, family, levels[index])
        else:
            pieces.append((index, index + 1, family, levels[index]))
    order = bidi.visual_order([piece[3] for piece in pieces])
    seen = (pieces[index] for index in order)
    return tuple((text[start:end], name, level % 2 == 1) for start, end, name, level in seen)


@lru_cache(maxsize=32768)
def advance(text: str, size: float, bold: bool, rtl: bool) -> float:  # noqa: FBT001 - a cache key
    """Return the width of one line of ``text`` in pixels."""
    return sum(
        fonts.face(family, size, bold).getlength(run, direction="rtl" if backwards else "ltr")
        for run, family, backwards in _runs(text, rtl)
    )


def _extent(text: str, size: float, *, bold: bool, rtl: bool) -> tuple[float, float]:
    """Return how far a line reaches above and below its base line."""
    ascent, descent = fonts.face(fonts.BASE_FAMILY, size, bold).getmetrics()
    ascent = math.ceil(ascent * ASCENT_SHARE)
    if text.isascii():
        return ascent, descent
    for run, family, backwards in _runs(text, rtl):
        face = fonts.face(family, size, bold)
        box = face.getbbox(run, anchor="ls", direction="rtl" if backwards else "ltr")
        ascent, descent = max(ascent, math.ceil(-box[1])), max(descent, math.ceil(box[3]))
    return ascent, descent


def _units(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the pieces of a paragraph between which a line may end."""
    for word in re.finditer(r"[^ \u3000]+[ \u3000]*", text[start:end]):
        begin = word.start()
        for place in _BREAK.finditer(word[0].rstrip(" \u3000")):
            cut = word.start() + place.end()
            if begin < cut < word.end():
                yield start + begin, start + cut
                begin = cut
        yield start + begin, start + word.end()


class _Setter:
    """Sets one text at one size; widths of pieces are measured once."""

    def __init__(self, text: str, *, size: float, bold: bool) -> None:
        self.text, self.size, self.bold = text, size, bold
        self.rtl = bidi.mostly_rtl(text)
        self.cut = False

    def width(self, start: int, end: int) -> float:
        return advance(self.text[start:end].rstrip(), self.size, self.bold, self.rtl)

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
            while low < end and unicodedata.category(self.text[low]) in ("Mn", "Me", "Mc", "Cf"):
                low += 1
            if low >= end:
                break
            self.cut = True
            yield start, low
            start = low
        yield start, end

    def pieces(self, start: int, end: int, limit: float) -> list[tuple[int, int]]:
        units = _units(self.text, start, end)
        return [piece for unit in units for piece in self.broken(*unit, limit)]

    def fill(self, pieces: list[tuple[int, int]], limit: float) -> list[tuple[int, int]]:
        """Put pieces into lines, as many in each as fit."""
        lines: list[tuple[int, int]] = []
        used = 0.0
        for start, end in pieces:
            wide = advance(self.text[start:end], self.size, self.bold, self.rtl)
            if lines and used + self.width(start, end) <= limit:
                lines[-1] = (lines[-1][0], end)
                used += wide
            else:
                lines.append((start, end))
                used = wide
        return lines

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


@lru_cache(maxsize=512)
def set_text(text: str, *, width: float, size: float, bold: bool) -> Block:
    """Wrap ``text`` (cleaned) to ``width`` pixels at ``size`` pixels an em.

    Lines are balanced; a word longer than a line is broken between characters.
    """
    setter = _Setter(text, size=size, bold=bold)
    limit = max(width - 2 * OVERHANG * size, 1.0)
    lines: list[Line] = []
    for start, end in setter.paragraphs():
        pieces = setter.pieces(start, end, limit)
        for first, last in setter.balanced(pieces, limit) or [(start, start)]:
            shown = text[first:last].rstrip()
            lines.append(Line(shown, first, last, setter.width(first, last)))
    extents = [_extent(line.text, size, bold=bold, rtl=setter.rtl) for line in lines]
    return Block(
        lines=tuple(lines), size=size, bold=bold, rtl=setter.rtl,
        ascents=tuple(extent[0] for extent in extents),
        descents=tuple(extent[1] for extent in extents),
        broken=setter.cut,
    )  # fmt: skip


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
        rest = rest[cut:].strip()
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


def draw_block(
    draw: ImageDraw.ImageDraw, block: Block, *, x: float, y: float, width: float,
    centred: bool, fill: Colour,
) -> None:  # fmt: skip
    """Draw ``block`` with its top at ``y``, in the column that begins at ``x``.

    Lines stand in the middle, or at the side where their script begins.
    """
    inset = OVERHANG * block.size
    for line, ascent, descent in zip(block.lines, block.ascents, block.descents, strict=True):
        free = width - 2 * inset - line.width
        left = x + inset + (free / 2 if centred else free if block.rtl else 0.0)
        for run, family, backwards in _runs(line.text, block.rtl):
            direction = "rtl" if backwards else "ltr"
            face = fonts.face(family, block.size, block.bold)
            draw.text((round(left), round(y + ascent)), run, font=face, fill=fill,
                      anchor="ls", direction=direction)  # fmt: skip
            left += face.getlength(run, direction=direction)
        y += ascent + descent
