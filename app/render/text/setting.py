"""Setting text: cleaning, wrapping to a width and measuring.

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
from typing import Final

from app.render.text import fonts
from app.render.text.breaks import SOFT_HYPHEN
from app.render.text.embeddings import still_open
from app.render.text.fonts import Fonts
from app.render.text.runs import runs
from app.render.text.shaping import metrics
from app.render.text.wrapping import Wrapper

#: Noto's ascent leaves room for two storeys of accents; lines are set with this
#: share of it, and with more where a line's ink really reaches higher.
ASCENT_SHARE: Final = 0.88
#: More marks than this on one letter are noise that would tower over the line.
_MAX_MARKS: Final = 4
#: Soft hyphens at which no word is divided.
_IDLE_HYPHENS: Final = re.compile(rf"{SOFT_HYPHEN}+(?=\s|$)")
#: Every printable ASCII character.
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))
#: Two empty lines or more.
_GAPS: Final = re.compile(r"\n{3,}")
#: Categories of characters that a text may lose: marks in piles, controls, lone surrogates.
_DROPPED: Final = frozenset({"Mn", "Me", "Cc", "Cs"})
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


@lru_cache(maxsize=512)
def clean(text: str) -> str:
    """Return ``text`` as it is set: composed, without control characters and piles of marks.

    Every mandatory break (UAX #14: U+2028, U+2029, U+0085, …) becomes a line feed.
    """
    text = unicodedata.normalize("NFC", "\n".join(text.splitlines()))
    if _DROPPED.isdisjoint(map(unicodedata.category, set(text) - {"\n"})):
        return _tidied(text)
    result: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in "\n\t":
            result.append(" " if char == "\t" else char)
        elif marks <= _MAX_MARKS and category not in ("Cc", "Cs"):
            result.append(char)
    return _tidied("".join(result))


def _tidied(text: str) -> str:
    """Return ``text`` without soft hyphens that divide no word, and with no gap above a line."""
    if SOFT_HYPHEN in text:
        text = _IDLE_HYPHENS.sub("", text)
    return _GAPS.sub("\n\n", text).strip()


def _extent(text: str, size: float, *, bold: bool, rtl: bool) -> tuple[float, float]:
    """Return how far a line reaches above and below its base line."""
    known = fonts.current()
    ascent, descent = (math.ceil(share * size) for share in _line_extent(known, bold))
    if text.isascii() and not known.brand:
        return ascent, descent
    for run in runs(text, rtl=rtl):
        above, below = run.reach(size, bold=bold)
        ascent, descent = max(ascent, math.ceil(above)), max(descent, math.ceil(below))
    return ascent, descent


@lru_cache(maxsize=32)
def _line_extent(known: Fonts, bold: bool) -> tuple[float, float]:  # noqa: FBT001 - a cache key
    """Return how far every line reaches above and below its base line at least, in ems.

    No ASCII character of a theme's font reaches further.
    """
    ascent, descent = metrics(fonts.vendored()[0].face(bold=bold))
    ascent *= ASCENT_SHARE
    if not known.brand:
        for run in runs(_ASCII, rtl=False):
            above, below = run.reach(1.0, bold=bold)
            ascent, descent = max(ascent, above), max(descent, below)
    return ascent, descent


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
    wrapper = Wrapper(text, bold=bold)
    overhang = known.overhang * size
    lines = []
    for start, end in wrapper.lines(max(width - 2 * overhang, 1.0) / size):
        wide = wrapper.width(start, end) * size
        lines.append(Line(wrapper.shown(start, end), start, end, wide))
    extents = [_extent(line.text, size, bold=bold, rtl=wrapper.rtl) for line in lines]
    return Block(
        lines=tuple(lines),
        size=size,
        bold=bold,
        rtl=wrapper.rtl,
        ascents=tuple(extent[0] for extent in extents),
        descents=tuple(extent[1] for extent in extents),
        broken=wrapper.cut,
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
