"""Where pictures go, and which part of the frame is left for text. All in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.render.model.storyboard import Box, PictureLayer
from app.render.model.style import REFERENCE_SIDE, TEXT_SAFE

#: Room between pictures, and between pictures and text, as a share of the short side.
_GAP: Final = 0.04
#: Text stays beside pictures only where it gets this share of the frame's width and height.
_LEAST_WIDTH: Final = 0.3
_LEAST_HEIGHT: Final = 0.25
#: A box for text is at least so wide and high, in pixels of the reference frame.
_LEAST_BOX: Final = (320.0, 76.0)


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in pixels, from the frame's top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """First column after it."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """First row after it."""
        return self.y + self.height

    def inset(self, by: float) -> Rect:
        """Return it smaller by ``by`` pixels at every side; larger where that is negative."""
        return Rect(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)

    def overlaps(self, other: Rect) -> bool:
        """Return whether the two share a pixel."""
        beside = self.right <= other.x or other.right <= self.x
        return not beside and self.y < other.bottom and other.y < self.bottom

    def joined(self, other: Rect) -> Rect:
        """Return the smallest rectangle that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Rect(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)


def unit(width: int, height: int) -> float:
    """Return the pixels of this frame for one pixel of the reference frame."""
    return min(width, height) / REFERENCE_SIDE


def safe_area(width: float, height: float, share: float = TEXT_SAFE) -> Rect:
    """Return the frame without ``share`` of it at every edge."""
    return Rect(width * share, height * share, width * (1 - 2 * share), height * (1 - 2 * share))


def text_safe(frame: Rect) -> Rect:
    """Return ``frame`` without what text keeps clear at every edge."""
    safe = safe_area(frame.width, frame.height)
    return Rect(frame.x + safe.x, frame.y + safe.y, safe.width, safe.height)


def picture_rects(
    pictures: Sequence[PictureLayer], area: Rect, *, width: int, height: int
) -> tuple[Rect, ...]:
    """Return where each picture goes; those without a box share ``area``."""
    free = [layer for layer in pictures if layer.box is None]
    cells = iter(_grid(area, len(free)))
    return tuple(
        next(cells) if layer.box is None else scaled(layer.box, width, height) for layer in pictures
    )


def scaled(box: Box, width: int, height: int) -> Rect:
    """Return a box of fractions in pixels."""
    return Rect(box.x * width, box.y * height, box.width * width, box.height * height)


def _grid(area: Rect, count: int) -> list[Rect]:
    if not count:
        return []
    columns = max(1, min(count, round(math.sqrt(count * area.width / area.height))))
    rows = math.ceil(count / columns)
    gap = _GAP * min(area.width, area.height)
    wide = (area.width - gap * (columns - 1)) / columns
    high = (area.height - gap * (rows - 1)) / rows
    return [
        Rect(area.x + i % columns * (wide + gap), area.y + i // columns * (high + gap), wide, high)
        for i in range(count)
    ]


def text_area(pictures: Iterable[Rect], *, safe: Rect, width: int, height: int) -> Rect:
    """Return the text-safe area beside ``pictures``; all of it if they leave too little."""
    rects = list(pictures)
    if not rects:
        return safe
    union = rects[0]
    for rect in rects[1:]:
        union = union.joined(rect)
    gap = _GAP * min(width, height)
    right, below = union.right + gap, union.bottom + gap
    candidates = (
        Rect(safe.x, safe.y, min(union.x - gap, safe.right) - safe.x, safe.height),
        Rect(max(right, safe.x), safe.y, safe.right - max(right, safe.x), safe.height),
        Rect(safe.x, safe.y, safe.width, min(union.y - gap, safe.bottom) - safe.y),
        Rect(safe.x, max(below, safe.y), safe.width, safe.bottom - max(below, safe.y)),
    )
    wide_enough = [
        rect
        for rect in candidates
        if rect.width >= _LEAST_WIDTH * width and rect.height >= _LEAST_HEIGHT * height
    ]
    return max(wide_enough, key=lambda rect: rect.width * rect.height, default=safe)


def box_rect(box: Box, frame: Rect, *, pixel: float) -> Rect:
    """Return a text's own box in ``frame``, kept text-safe and large enough for a line."""
    safe = text_safe(frame)
    given = Rect(
        frame.x + box.x * frame.width,
        frame.y + box.y * frame.height,
        box.width * frame.width,
        box.height * frame.height,
    )
    least_width, least_height = (side * pixel for side in _LEAST_BOX)
    x, wide = _clamped(given.x, given.right, safe.x, safe.right, least_width)
    y, high = _clamped(given.y, given.bottom, safe.y, safe.bottom, least_height)
    return Rect(x, y, wide, high)


def _clamped(
    start: float, end: float, low: float, high: float, least: float
) -> tuple[float, float]:
    """Move start–end into low–high, cut it to that, and grow it to ``least`` around its middle."""
    size = min(max(end - start, least), high - low)
    start = min(max((start + end - size) / 2, low), high - size)
    return start, size
