"""Callouts: boxes, arrows and pills that point at a part of the frame.

Each is drawn once, on a plate of its own. Labels look like badges, which can be
read on any ground, and stand where no text and no other label is, if there is such a place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.render.model.areas import Rect, safe_area, scaled, unit
from app.render.model.storyboard import Callout, Colour
from app.render.model.style import BLACK, pill_colours, style_of
from app.render.picture import planes
from app.render.picture.panels import outline, rounded
from app.render.story.slots import PILL_PADDING
from app.render.text.drawing import draw_block
from app.render.text.setting import Block, clean, set_text

#: Pixels of the reference frame: a target without a size, an edge's thickness and radius,
#: room around a target, length and widest width of an arrow.
_POINT: Final = 96.0
_EDGE: Final = 8.0
_RADIUS: Final = 16.0
_AWAY: Final = 14.0
_ARROW: Final = (150.0, 56.0)
#: An arrow's shaft as a share of its head's width, and its head's length of the arrow's.
_SHAFT: Final = 0.36
_HEAD: Final = 0.42
#: Dark rim that sets edges off from light pictures, as a share of their thickness.
_RIM: Final = 0.4
#: Arrows are drawn so many times larger, then reduced, to be smooth.
_SMOOTH: Final = 4
#: Ways out of a target: up, down, right, left.
_WAYS: Final = ((0, -1), (0, 1), (1, 0), (-1, 0))


@dataclass(frozen=True, slots=True)
class Mark:
    """A callout as drawn: ``pixels`` (:func:`app.render.picture.planes.plate`) cover ``place``.

    ``label`` is where its words stand; None without any.
    """

    callout: Callout
    label: Rect | None
    pixels: NDArray[np.uint8]
    place: Rect


def marks(
    callouts: Sequence[Callout],
    *,
    width: int,
    height: int,
    accent: Colour,
    taken: Sequence[Rect] = (),
) -> Iterator[Mark]:
    """Draw the callouts of a step in a frame of ``width`` by ``height`` pixels.

    Args:
        callouts: What to point at.
        width: Of the frame.
        height: Of the frame.
        accent: Their colour.
        taken: Rectangles of texts, which labels leave free where they can.
    """
    full = list(taken)
    for callout in callouts:
        mark = _Artist(callout, width, height, accent).draw(full)
        if mark.label is not None:
            full.append(mark.label)
        yield mark


class _Artist:
    """Draws one callout."""

    def __init__(self, callout: Callout, width: int, height: int, accent: Colour) -> None:
        self._callout = callout
        self._size = (width, height)
        self._pixel = unit(width, height)
        self._accent = accent
        self._target = _target(callout, width, height, self._pixel)
        self._label = _label(callout.label, self._pixel)

    def draw(self, taken: Sequence[Rect]) -> Mark:
        room = _ARROW[0] * self._pixel if self._callout.kind == "arrow" else 0.0
        if self._callout.kind == "pill":
            where, way = self._kept(self._target_label()), (0, 0)
        else:
            where, way = self._beside(room, taken)
        pixels = planes.plate(self._size, lambda canvas: self._paint(canvas, where, way))
        label = where if self._label is not None else None
        return Mark(self._callout, label, *planes.trimmed(pixels))

    def _paint(self, canvas: Image.Image, where: Rect, way: tuple[int, int]) -> None:
        if self._callout.kind == "box":
            self._draw_box(canvas)
        elif self._callout.kind == "arrow":
            self._draw_arrow(canvas, way)
        elif self._label is None:
            self._draw_dot(canvas)
        if self._label is not None:
            self._draw_label(canvas, where, self._label)

    def _label_size(self) -> tuple[float, float]:
        if self._label is None:
            return (0.0, 0.0)
        side, above = (share * self._label.size for share in PILL_PADDING)
        high = self._label.height + 2 * above
        return max(self._label.width + 2 * side, high), high

    def _target_label(self) -> Rect:
        wide, high = self._label_size()
        target = self._target
        x, y = target.x + target.width / 2, target.y + target.height / 2
        return Rect(x - wide / 2, y - high / 2, wide, high)

    def _kept(self, rect: Rect) -> Rect:
        safe = safe_area(*self._size)
        x = min(max(rect.x, safe.x), safe.right - rect.width)
        y = min(max(rect.y, safe.y), safe.bottom - rect.height)
        return Rect(x, y, rect.width, rect.height)

    def _beside(self, room: float, taken: Sequence[Rect]) -> tuple[Rect, tuple[int, int]]:
        """Return where the label goes, ``room`` away from the target, and in which direction."""
        wide, high = self._label_size()
        target = self._target.inset(-_AWAY * self._pixel)
        best: tuple[tuple[int, float], Rect, tuple[int, int]] | None = None
        for x, y in _WAYS:
            middle_x = target.x + target.width / 2 + x * (target.width / 2 + room + wide / 2)
            middle_y = target.y + target.height / 2 + y * (target.height / 2 + room + high / 2)
            wanted = Rect(middle_x - wide / 2, middle_y - high / 2, wide, high)
            kept = self._kept(wanted)
            moved = abs(kept.x - wanted.x) + abs(kept.y - wanted.y)
            cost = (sum(kept.overlaps(rect) for rect in taken), moved)
            if best is None or cost < best[0]:
                best = (cost, kept, (x, y))
        assert best is not None  # noqa: S101 - there are four ways
        return best[1], best[2]

    def _draw_box(self, canvas: Image.Image) -> None:
        thick, rim = _EDGE * self._pixel, _EDGE * _RIM * self._pixel
        outer = self._target.inset(-_AWAY * self._pixel)
        radius = _RADIUS * self._pixel
        outline(canvas, outer.inset(-rim), radius + rim, thick + 2 * rim, BLACK)
        outline(canvas, outer, radius, thick, self._accent)

    def _draw_dot(self, canvas: Image.Image) -> None:
        target, side = self._target, _POINT * self._pixel / 2
        x, y = target.x + target.width / 2, target.y + target.height / 2
        dot = Rect(x - side / 2, y - side / 2, side, side)
        rim = _EDGE * _RIM * self._pixel
        rounded(canvas, dot.inset(-rim), side, BLACK)
        rounded(canvas, dot, side, self._accent)

    def _draw_arrow(self, canvas: Image.Image, way: tuple[int, int]) -> None:
        """Draw an arrow that comes from ``way`` and ends at the target's edge."""
        long, wide = (value * self._pixel for value in _ARROW)
        target, rim = self._target, _EDGE * _RIM * self._pixel
        tip = (
            target.x + target.width / 2 * (1 + way[0]),
            target.y + target.height / 2 * (1 + way[1]),
        )
        head, half, shaft = long * _HEAD, wide / 2, wide * _SHAFT / 2
        along = [(0, 0), (head, half), (head, shaft), (long, shaft)]
        outlined = [*along, *((far, -side) for far, side in reversed(along[1:]))]
        points = [
            (tip[0] + way[0] * far - way[1] * side, tip[1] + way[1] * far + way[0] * side)
            for far, side in outlined
        ]
        near = Rect(
            tip[0] - long - wide, tip[1] - long - wide, 2 * (long + wide), 2 * (long + wide)
        )
        for colour, width in ((BLACK, rim), (self._accent, 0.0)):
            self._fill(canvas, near, points, colour, width)

    @staticmethod
    def _fill(
        canvas: Image.Image,
        near: Rect,
        points: list[tuple[float, float]],
        colour: Colour,
        rim: float,
    ) -> None:
        """Fill a polygon that lies in ``near``, widened by ``rim`` at every side."""
        left, top = round(near.x), round(near.y)
        size = (round(near.width), round(near.height))
        mask = Image.new("L", (size[0] * _SMOOTH, size[1] * _SMOOTH))
        inside = [((x - left) * _SMOOTH, (y - top) * _SMOOTH) for x, y in points]
        pen = ImageDraw.Draw(mask)
        pen.polygon(inside, fill=255)
        if rim:
            pen.line(
                [*inside, inside[0], inside[1]],
                fill=255,
                width=round(2 * rim * _SMOOTH),
                joint="curve",
            )
        canvas.paste(colour, (left, top), mask.reduce(_SMOOTH))

    def _draw_label(self, canvas: Image.Image, where: Rect, block: Block) -> None:
        ground, ink = pill_colours(self._accent)
        rim = _EDGE * _RIM * self._pixel
        radius = where.height / 2
        rounded(canvas, where.inset(-rim), radius + rim, BLACK)
        rounded(canvas, where, radius, ground)
        x = where.x + (where.width - block.width) / 2
        y = where.y + (where.height - block.height) / 2
        draw_block(canvas, block, x=x, y=y, width=block.width, centred=True, fill=ink)


def _target(callout: Callout, width: int, height: int, pixel: float) -> Rect:
    given = scaled(callout.target, width, height)
    if callout.kind != "box":
        return given
    side = _POINT * pixel
    x, wide = (given.x, given.width) if given.width else (given.x - side / 2, side)
    y, high = (given.y, given.height) if given.height else (given.y - side / 2, side)
    return Rect(x, y, wide, high)


def _label(text: str, pixel: float) -> Block | None:
    text = " ".join(clean(text).split())
    if not text:
        return None
    style = style_of("badge")
    return set_text(text, width=float("inf"), size=style.size * pixel, bold=style.bold)
