"""Legibility: panels behind texts on busy backgrounds, and text colours with enough contrast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from app.render.model.areas import Rect
from app.render.model.style import BLACK, BODY_CONTRAST, WHITE, luminance, mix, passes, readable
from app.render.model.themes import Colour
from app.render.story.layout import PlacedText

#: Opacity of a panel in the theme's dark plate colour, which hides most of the background. Over any
#: picture, white text on it reaches a contrast of 7:1, and accents reach 4.5:1.
PANEL_OPACITY: Final = 0.84
#: Padding of a panel around text, in pixels of the reference frame.
PANEL_PADDING: Final = 32.0
#: Padding of the plate of texts that always have one.
PLATE_PADDING: Final = 16.0
#: Corner radius of both.
PANEL_RADIUS: Final = 20.0
#: Texts of at least this size may have the lower contrast of accents (reference pixels).
LARGE_TEXT: Final = 40.0
#: Factor by which corners are drawn larger and then reduced, for smooth edges.
_SMOOTH: Final = 4

#: Linear light of each 8-bit value.
_LINEAR: Final = np.array(
    [luminance((value, value, value)) for value in range(256)], dtype=np.float32
)


def luminance_range(canvas: Image.Image, rect: Rect) -> tuple[float, float]:
    """Return the lowest and highest relative luminance of ``canvas`` inside ``rect``."""
    part = np.asarray(canvas.crop(_pixels(canvas, rect)))
    values = (
        np.float32(0.2126) * _LINEAR[part[..., 0]]
        + np.float32(0.7152) * _LINEAR[part[..., 1]]
        + np.float32(0.0722) * _LINEAR[part[..., 2]]
    )
    return float(values.min()), float(values.max())


@dataclass(frozen=True, slots=True)
class Ground:
    """The background of texts.

    Attributes:
        picture: The background, with its panels.
        plate: Colour of panels.
        unsteady: Parts of it that move.
        panels: Panels drawn on it.
    """

    picture: Image.Image
    plate: Colour
    unsteady: tuple[Rect, ...] = ()
    panels: tuple[Rect, ...] = ()

    def range(self, rect: Rect) -> tuple[float, float]:
        """Return the lowest and highest luminance that ``rect`` ever has."""
        if not self.moves(rect):
            return luminance_range(self.picture, rect)
        if not any(panel.overlaps(rect) for panel in self.panels):
            return 0.0, 1.0
        darkest, lightest = (mix(end, self.plate, PANEL_OPACITY) for end in (BLACK, WHITE))
        return luminance(darkest), luminance(lightest)

    def moves(self, rect: Rect) -> bool:
        """Return whether anything in ``rect`` moves."""
        return any(part.overlaps(rect) for part in self.unsteady)

    def panelled(self, panels: Sequence[Rect], pixel: float) -> Ground:
        """Return the background with ``panels`` drawn on a copy of its picture."""
        picture = self.picture.copy()
        for rect in panels:
            panel(picture, rect, pixel, self.plate)
        return Ground(picture, self.plate, self.unsteady, tuple(panels))


def legible(
    ground: Ground,
    texts: Sequence[PlacedText],
    wanted: Sequence[Sequence[Colour]],
    *,
    pixel: float,
) -> tuple[list[Colour], list[Rect]]:
    """Return a legible colour for each text, and the panels that the texts need.

    Args:
        ground: The background of the texts.
        texts: Texts that are shown together. A pill has its own background.
        wanted: Preferred colours of each text, best first.
        pixel: Pixels of this frame per pixel of the reference frame.
    """
    plates = [t.ink.inset(-PLATE_PADDING * pixel) for t in texts if t.style.plate]
    panels = joined(plates)
    behind = ground.panelled(panels, pixel) if panels else ground
    colours = [_fitted(behind, *pair, pixel) for pair in zip(texts, wanted, strict=True)]
    if None in colours:  # texts belong together, so all get panels
        plain = [text.ink for text in texts if not (text.style.pill or text.style.plate)]
        panels = joined([*plates, *(ink.inset(-PANEL_PADDING * pixel) for ink in plain)])
        behind = ground.panelled(panels, pixel)
        colours = [_fitted(behind, *pair, pixel) for pair in zip(texts, wanted, strict=True)]
    return [colour or WHITE for colour in colours], panels


def _fitted(
    ground: Ground, placed: PlacedText, wanted: Sequence[Colour], pixel: float
) -> Colour | None:
    if placed.style.pill:
        return wanted[0]
    darkest, lightest = ground.range(placed.ink)
    large = placed.block.size >= LARGE_TEXT * pixel * 0.999
    ratio = placed.style.contrast if large else BODY_CONTRAST
    for colour in wanted:
        if passes(colour, darkest=darkest, lightest=lightest, ratio=ratio):
            return colour
    return readable(wanted[0], darkest=darkest, lightest=lightest, ratio=ratio)


def panel(canvas: Image.Image, rect: Rect, pixel: float, colour: Colour) -> None:
    """Draw a panel over ``rect``."""
    rounded(canvas, rect, PANEL_RADIUS * pixel, colour, PANEL_OPACITY)


def joined(rects: list[Rect]) -> list[Rect]:
    """Return ``rects`` with overlapping ones merged into their bounding box."""
    for index, rect in enumerate(rects):
        rest = rects[index + 1 :]
        touching = [other for other in rest if rect.overlaps(other)]
        if touching:
            whole = rect
            for other in touching:
                whole = whole.joined(other)
            apart = [other for other in rest if other not in touching]
            return joined([*rects[:index], whole, *apart])
    return rects


def rounded(
    canvas: Image.Image, rect: Rect, radius: float, colour: Colour, opacity: float = 1.0
) -> None:
    """Draw a filled rectangle with smooth, rounded corners on ``canvas``."""
    left, top, right, bottom = _pixels(canvas, rect)
    mask = _rounded_mask((right - left, bottom - top), radius)
    if opacity < 1.0:
        mask = mask.point([round(value * opacity) for value in range(256)])
    canvas.paste(colour, (left, top), mask)


def outline(
    canvas: Image.Image, rect: Rect, radius: float, thickness: float, colour: Colour
) -> None:
    """Draw the edge of a rectangle with smooth, rounded corners, inside ``rect``."""
    left, top, right, bottom = _pixels(canvas, rect)
    mask, thick = _rounded_mask((right - left, bottom - top), radius), max(1, round(thickness))
    inner = (mask.width - 2 * thick, mask.height - 2 * thick)
    if min(inner) > 0:
        hole = _rounded_mask(inner, radius - thick)
        mask.paste(0, (thick, thick), hole)
    canvas.paste(colour, (left, top), mask)


def _rounded_mask(size: tuple[int, int], radius: float) -> Image.Image:
    corner = min(round(radius), size[0] // 2, size[1] // 2)
    mask = Image.new("L", size, 255)
    if corner > 0:
        side = corner * _SMOOTH
        disc = Image.new("L", (2 * side, 2 * side), 0)
        ImageDraw.Draw(disc).ellipse((0, 0, 2 * side - 1, 2 * side - 1), fill=255)
        disc = disc.reduce(_SMOOTH)
        for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
            quarter = disc.crop((x * corner, y * corner, (x + 1) * corner, (y + 1) * corner))
            mask.paste(quarter, (x * (size[0] - corner), y * (size[1] - corner)))
    return mask


def _pixels(canvas: Image.Image, rect: Rect) -> tuple[int, int, int, int]:
    """Return the whole pixels of ``rect`` inside ``canvas``, at least one."""
    left = min(max(0, round(rect.x)), canvas.width - 1)
    top = min(max(0, round(rect.y)), canvas.height - 1)
    right = min(max(left + 1, round(rect.right)), canvas.width)
    bottom = min(max(top + 1, round(rect.bottom)), canvas.height)
    return left, top, right, bottom
