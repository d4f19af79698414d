"""Legibility: panels behind texts on busy backgrounds, and text colours with enough contrast.

A panel is a plate with round corners, or a scrim: a darkening of the picture that fades out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.render.model.areas import Rect
from app.render.model.style import BLACK, BODY_CONTRAST, WHITE, luminance, mix, passes, readable
from app.render.model.themes import Colour
from app.render.story.layout import PlacedText

#: Opacity of a panel in the theme's dark plate colour, which hides most of the background. Over any
#: picture, white text on it reaches a contrast of 7:1, and accents reach 4.5:1.
PANEL_OPACITY: Final = 0.84
#: Opacities of a scrim: the first that makes all texts legible is taken.
_OPACITIES: Final = (0.5, 0.62, 0.74, PANEL_OPACITY)
#: Length over which a scrim fades out, in pixels of the reference frame.
SCRIM_FADE: Final = 230.0
#: Largest share of the frame's width of texts that get a scrim at a side, and smallest share of
#: its height.
_SIDE, _FLAT = 0.5, 0.3
#: Share of the frame's height between texts from which on they do not share a scrim.
_APART: Final = 0.25
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
class Panel:
    """A dark ground of texts.

    Attributes:
        area: All that it covers.
        solid: Where it has all of its opacity; outside, a scrim fades out.
        opacity: Opacity, 0 to 1.
    """

    area: Rect
    solid: Rect
    opacity: float


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
    panels: tuple[Panel, ...] = ()

    def range(self, rect: Rect) -> tuple[float, float]:
        """Return the lowest and highest luminance that ``rect`` ever has."""
        if not self.moves(rect):
            return luminance_range(self.picture, rect)
        opacity = max((one.opacity for one in self.panels if one.solid.overlaps(rect)), default=0.0)
        darkest, lightest = (mix(end, self.plate, opacity) for end in (BLACK, WHITE))
        return luminance(darkest), luminance(lightest)

    def moves(self, rect: Rect) -> bool:
        """Return whether anything in ``rect`` moves."""
        return any(part.overlaps(rect) for part in self.unsteady)

    def panelled(self, panels: Sequence[Panel], pixel: float) -> Ground:
        """Return the background with ``panels`` drawn on a copy of its picture."""
        picture = self.picture.copy()
        for one in panels:
            draw_panel(picture, one, pixel, self.plate)
        return Ground(picture, self.plate, self.unsteady, tuple(panels))


def legible(
    ground: Ground,
    texts: Sequence[PlacedText],
    wanted: Sequence[Sequence[Colour]],
    *,
    pixel: float,
    scrims: bool = False,
) -> tuple[list[Colour], list[Panel]]:
    """Return a legible colour for each text, and the panels that the texts need.

    Args:
        ground: The background of the texts.
        texts: Texts that are shown together. A pill has its own background.
        wanted: Preferred colours of each text, best first.
        pixel: Pixels of this frame per pixel of the reference frame.
        scrims: Whether one picture fills the frame, so that a part of it may be darkened.
    """

    def coloured(panels: Sequence[Panel]) -> list[Colour | None]:
        behind = ground.panelled(panels, pixel) if panels else ground
        return [_fitted(behind, *pair, pixel) for pair in zip(texts, wanted, strict=True)]

    plates = [t.ink.inset(-PLATE_PADDING * pixel) for t in texts if t.style.plate]
    panels = [_plate(rect) for rect in joined(plates)]
    colours = coloured(panels)
    if None in colours:  # texts belong together, so all get panels
        plain = [text.ink for text in texts if not (text.style.pill or text.style.plate)]
        padded = [ink.inset(-PANEL_PADDING * pixel) for ink in plain]
        under = [_plate(rect) for rect in joined(plates)]
        trials = (
            [
                [*under, *scrims_behind(padded, one, ground.picture.size, pixel)]
                for one in _OPACITIES
            ]
            if scrims and padded
            else [[_plate(rect) for rect in joined([*plates, *padded])]]
        )
        for panels in trials:
            colours = coloured(panels)
            if None not in colours:
                break
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


def _plate(rect: Rect) -> Panel:
    return Panel(rect, rect, PANEL_OPACITY)


def scrims_behind(
    texts: Sequence[Rect], opacity: float, size: tuple[int, int], pixel: float
) -> list[Panel]:
    """Return scrims behind ``texts``, each from the edge of the frame that is nearest to it.

    Texts that are close to each other share one.

    Args:
        texts: Rectangles of texts, with their padding.
        opacity: Opacity behind them.
        size: Width and height of the frame in pixels.
        pixel: Pixels of this frame per pixel of the reference frame.
    """
    groups: list[Rect] = []
    for rect in sorted(texts, key=lambda rect: rect.y):
        if groups and rect.y - groups[-1].bottom < _APART * size[1]:
            groups[-1] = groups[-1].joined(rect)
        else:
            groups.append(rect)
    return [_scrim(rect, opacity, size, pixel) for rect in groups]


def _scrim(whole: Rect, opacity: float, size: tuple[int, int], pixel: float) -> Panel:
    left, top, right, bottom = whole.x, whole.y, whole.right, whole.bottom
    width, height = float(size[0]), float(size[1])
    if whole.width <= _SIDE * width and whole.height > _FLAT * height:
        top, bottom = 0.0, height
        left, right = (0.0, right) if left <= width - right else (left, width)
    else:
        left, right = 0.0, width
        if whole.y + whole.height / 2 >= height / 2:
            bottom = height
        else:
            top = 0.0
    fade = SCRIM_FADE * pixel
    outer = (max(0.0, left - fade), max(0.0, top - fade),
             min(width, right + fade), min(height, bottom + fade))  # fmt: skip
    area = Rect(outer[0], outer[1], outer[2] - outer[0], outer[3] - outer[1])
    return Panel(area, Rect(left, top, right - left, bottom - top), opacity)


def draw_panel(canvas: Image.Image, panel: Panel, pixel: float, colour: Colour) -> None:
    """Draw a panel on ``canvas``."""
    if panel.area == panel.solid:
        rounded(canvas, panel.area, PANEL_RADIUS * pixel, colour, panel.opacity)
        return
    left, top, right, bottom = _pixels(canvas, panel.area)
    across = _ramp(left, right, panel.solid.x, panel.solid.right)
    down = _ramp(top, bottom, panel.solid.y, panel.solid.bottom)
    mask = np.rint(255 * panel.opacity * down[:, None] * across[None, :]).astype(np.uint8)
    canvas.paste(colour, (left, top), Image.fromarray(mask))


def _ramp(start: int, end: int, first: float, last: float) -> NDArray[np.float32]:
    """Return the strength of a scrim at the pixels ``start`` to ``end``: 1 from first to last."""
    place = np.arange(start, end, dtype=np.float32) + np.float32(0.5)
    before = np.clip((place - start) / max(first - start, 1e-6), 0, 1)
    after = np.clip((end - place) / max(end - last, 1e-6), 0, 1)
    nearest = np.minimum(before, after)
    return np.asarray(nearest * nearest * (3 - 2 * nearest), np.float32)


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
    mask = rounded_mask((right - left, bottom - top), radius)
    if opacity < 1.0:
        mask = mask.point([round(value * opacity) for value in range(256)])
    canvas.paste(colour, (left, top), mask)


def outline(
    canvas: Image.Image, rect: Rect, radius: float, thickness: float, colour: Colour
) -> None:
    """Draw the edge of a rectangle with smooth, rounded corners, inside ``rect``."""
    left, top, right, bottom = _pixels(canvas, rect)
    mask, thick = rounded_mask((right - left, bottom - top), radius), max(1, round(thickness))
    inner = (mask.width - 2 * thick, mask.height - 2 * thick)
    if min(inner) > 0:
        hole = rounded_mask(inner, radius - thick)
        mask.paste(0, (thick, thick), hole)
    canvas.paste(colour, (left, top), mask)


def rounded_mask(size: tuple[int, int], radius: float) -> Image.Image:
    """Return the 8-bit mask of a rectangle with round corners."""
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
