"""Callouts: boxes, arrows and pills that point at a part of the frame.

Each is drawn once, on its own plate. Labels look like badges, which are legible on any background.
They avoid texts and other labels where possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.render.model.areas import Rect, safe_area, scaled, unit
from app.render.model.storyboard import Callout
from app.render.model.style import BLACK, pill_colours, style_of
from app.render.model.themes import Colour
from app.render.picture import planes
from app.render.picture.panels import outline, rounded
from app.render.story.slots import PILL_PADDING
from app.render.text.drawing import draw_block
from app.render.text.setting import Block, clean, set_text

#: In pixels of the reference frame: side of a target without a size, thickness and corner radius of
#: an edge, distance from the target, and length and width of an arrow.
_POINT: Final = 96.0
_EDGE: Final = 8.0
_RADIUS: Final = 16.0
_AWAY: Final = 14.0
_ARROW: Final = (150.0, 56.0)
#: Width of an arrow's shaft relative to its head, and length of the head relative to the arrow.
_SHAFT: Final = 0.36
_HEAD: Final = 0.42
#: Thickness of the dark rim that separates edges from light pictures, relative to the edge.
_RIM: Final = 0.4
#: Factor by which arrows are drawn larger and then reduced, for smooth edges.
_SMOOTH: Final = 4
#: Directions in which a label may lie: up, down, right, left.
_DIRECTIONS: Final = ((0, -1), (0, 1), (1, 0), (-1, 0))


@dataclass(frozen=True, slots=True)
class Mark:
    """A drawn callout.

    Attributes:
        callout: The callout.
        label: Rectangle of its label; None without one.
        pixels: Premultiplied RGBA, see :func:`app.render.picture.planes.plate`.
        place: Rectangle of the frame that ``pixels`` cover.
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
    """Draw the callouts of a step.

    Args:
        callouts: The callouts, in order.
        width: Width of the frame in pixels.
        height: Height of the frame in pixels.
        accent: Colour of the callouts.
        taken: Rectangles of texts, which labels avoid where possible.
    """
    occupied = list(taken)
    for callout in callouts:
        mark = _Artist(callout, width, height, accent).draw(occupied)
        if mark.label is not None:
            occupied.append(mark.label)
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
            where, direction = self._kept(self._target_label()), (0, 0)
        else:
            where, direction = self._beside(room, taken)
        pixels = planes.plate(self._size, lambda canvas: self._paint(canvas, where, direction))
        label = where if self._label is not None else None
        return Mark(self._callout, label, *planes.trimmed(pixels))

    def _paint(self, canvas: Image.Image, where: Rect, direction: tuple[int, int]) -> None:
        if self._callout.kind == "box":
            self._draw_box(canvas)
        elif self._callout.kind == "arrow":
            self._draw_arrow(canvas, direction)
        elif self._label is None:
            self._draw_dot(canvas)
        if self._label is not None:
            self._draw_label(canvas, where, self._label)

    def _label_size(self) -> tuple[float, float]:
        if self._label is None:
            return (0.0, 0.0)
        side, above = (share * self._label.size for share in PILL_PADDING)
        height = self._label.height + 2 * above
        return max(self._label.width + 2 * side, height), height

    def _target_label(self) -> Rect:
        width, height = self._label_size()
        target = self._target
        x, y = target.x + target.width / 2, target.y + target.height / 2
        return Rect(x - width / 2, y - height / 2, width, height)

    def _kept(self, rect: Rect) -> Rect:
        safe = safe_area(*self._size)
        x = min(max(rect.x, safe.x), safe.right - rect.width)
        y = min(max(rect.y, safe.y), safe.bottom - rect.height)
        return Rect(x, y, rect.width, rect.height)

    def _beside(self, room: float, taken: Sequence[Rect]) -> tuple[Rect, tuple[int, int]]:
        """Return the place of the label, ``room`` pixels from the target, and its direction."""
        width, height = self._label_size()
        target = self._target.inset(-_AWAY * self._pixel)

        def candidate(direction: tuple[int, int]) -> tuple[tuple[int, float], Rect]:
            x, y = direction
            middle_x = target.x + target.width / 2 + x * (target.width / 2 + room + width / 2)
            middle_y = target.y + target.height / 2 + y * (target.height / 2 + room + height / 2)
            wanted = Rect(middle_x - width / 2, middle_y - height / 2, width, height)
            kept = self._kept(wanted)
            moved = abs(kept.x - wanted.x) + abs(kept.y - wanted.y)
            return (sum(kept.overlaps(rect) for rect in taken), moved), kept

        found = {direction: candidate(direction) for direction in _DIRECTIONS}
        best = min(found, key=lambda direction: found[direction][0])
        return found[best][1], best

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

    def _draw_arrow(self, canvas: Image.Image, direction: tuple[int, int]) -> None:
        """Draw an arrow that comes from ``direction`` and ends at the edge of the target."""
        (dx, dy), rim = direction, _EDGE * _RIM * self._pixel
        length, breadth = (value * self._pixel for value in _ARROW)
        target = self._target
        tip = (
            target.x + target.width / 2 * (1 + dx),
            target.y + target.height / 2 * (1 + dy),
        )
        head, half, shaft = length * _HEAD, breadth / 2, breadth * _SHAFT / 2
        along = [(0, 0), (head, half), (head, shaft), (length, shaft)]
        outlined = [*along, *((far, -side) for far, side in reversed(along[1:]))]
        points = [
            (tip[0] + dx * far - dy * side, tip[1] + dy * far + dx * side) for far, side in outlined
        ]
        near = Rect(
            tip[0] - length - breadth,
            tip[1] - length - breadth,
            2 * (length + breadth),
            2 * (length + breadth),
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
        """Fill a polygon that lies in ``near``, widened by ``rim`` on each side."""
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
        fill, ink = pill_colours(self._accent)
        rim = _EDGE * _RIM * self._pixel
        radius = where.height / 2
        rounded(canvas, where.inset(-rim), radius + rim, BLACK)
        rounded(canvas, where, radius, fill)
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
