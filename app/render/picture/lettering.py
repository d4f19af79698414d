"""Lettering: the colours of a moment's texts, and their drawing.

What a text looks like depends on what lies behind it. It is decided once
(:func:`look`), on the picture behind; then it can be drawn on that picture, or
on a plate (:func:`app.render.picture.planes.plate`) that is laid over moving ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from app.render.model.areas import Rect
from app.render.model.style import BODY_CONTRAST, DARK_INK, LIGHT_INK, pill_colours, readable
from app.render.model.themes import Colour, Theme
from app.render.picture.panels import Ground, Panel, draw_panel, joined, legible, rounded
from app.render.story.layout import PlacedText
from app.render.story.lists import BULLET
from app.render.story.slots import BAR
from app.render.text.drawing import draw_block
from app.render.text.setting import set_text

#: Contrast of the accent bar, which is not text (WCAG 1.4.11).
_BAR_CONTRAST: Final = 3.0
#: Radius of a list's dot, and height of small letters, in ems.
_DOT, _X_HEIGHT = 0.16, 0.5
#: Pixels by which smoothed edges may reach out of a rectangle.
_MARGIN: Final = 2.0


@dataclass(frozen=True, slots=True)
class Look:
    """Texts of a moment, the colours of their inks, bars and markers, and the panels behind them.

    ``plate`` is the colour of the panels.
    ``areas`` are the rectangles in pixels that all of it covers; they do not overlap.
    """

    texts: tuple[PlacedText, ...]
    inks: tuple[Colour, ...]
    bars: tuple[tuple[Rect, Colour] | None, ...]
    markers: tuple[Colour | None, ...]
    panels: tuple[Panel, ...]
    plate: Colour
    areas: tuple[Rect, ...]


def look(
    behind: Image.Image,
    texts: Sequence[PlacedText],
    *,
    accent: Colour,
    theme: Theme,
    pixel: float,
    unsteady: Sequence[Rect] = (),
    scrims: bool = False,
) -> Look:
    """Decide how ``texts`` look on the picture ``behind``, which is not changed.

    Args:
        behind: The frame without them.
        texts: Those that are seen together.
        accent: The step's.
        theme: The film's.
        pixel: Pixels of this frame for one of the reference frame.
        unsteady: Where the picture will change while they stand; texts there get
            panels, on which they can be read whatever comes.
        scrims: Whether one picture fills the frame, so that a part of it may be darkened.
    """
    ground = Ground(behind, theme.plate, tuple(unsteady))
    wanted = [_wanted(text, accent, theme) for text in texts]
    inks, panels = legible(ground, texts, wanted, pixel=pixel, scrims=scrims)
    if panels:
        ground = ground.panelled(panels, pixel)
    bars = tuple(_bar(text, ground, accent, pixel) if text.bar else None for text in texts)
    markers = tuple(_marker(text, ground, accent) if text.layer.marker else None for text in texts)
    covered = [*(one.area for one in panels), *(text.ink.inset(-_MARGIN) for text in texts)]
    covered += [bar[0].inset(-_MARGIN) for bar in bars if bar is not None]
    return Look(
        tuple(texts), tuple(inks), bars, markers, tuple(panels), theme.plate, tuple(joined(covered))
    )


def draw(canvas: Image.Image, shown: Look, *, pixel: float) -> None:
    """Draw ``shown`` on ``canvas``."""
    for one in shown.panels:
        draw_panel(canvas, one, pixel, shown.plate)
    parts = zip(shown.texts, shown.inks, shown.bars, shown.markers, strict=True)
    for text, ink, bar, marker in parts:
        colour = ink
        if text.style.pill:
            ground, colour = pill_colours(ink)
            rounded(canvas, text.ink, min(text.ink.height / 2, text.block.size), ground)
        column = text.text_rect
        draw_block(
            canvas,
            text.block,
            x=column.x,
            y=column.y,
            width=column.width,
            centred=text.centred or text.style.pill,
            fill=colour,
        )
        if bar is not None:
            rounded(canvas, bar[0], bar[0].height / 2, bar[1])
        if marker is not None:
            _draw_marker(canvas, text, marker)


def _wanted(text: PlacedText, accent: Colour, theme: Theme) -> tuple[Colour, ...]:
    """Return colours to try: the author's, else the role's own for dark and for light ground."""
    if text.layer.colour is not None:
        return (text.layer.colour,)
    own = {"text": theme.text, "muted": theme.muted, "warning": theme.warning, "accent": accent}
    colour = own[text.style.ink]
    return (colour, LIGHT_INK, DARK_INK) if text.style.ink == "text" else (colour,)


def _marker(text: PlacedText, ground: Ground, accent: Colour) -> Colour:
    """Return the colour of the marker of a list's item."""
    darkest, lightest = ground.range(text.marker_rect)
    ratio = BODY_CONTRAST if text.layer.marker != BULLET else _BAR_CONTRAST
    return readable(accent, darkest=darkest, lightest=lightest, ratio=ratio) or accent


def _draw_marker(canvas: Image.Image, text: PlacedText, colour: Colour) -> None:
    place, size = text.marker_rect, text.block.size
    if text.layer.marker != BULLET:
        block = set_text(text.layer.marker, width=2 * place.width, size=size, bold=False)
        across = place.right - block.width if text.from_right else place.x
        draw_block(
            canvas, block, x=across, y=place.y, width=block.width, centred=False, fill=colour
        )
        return
    radius = _DOT * size
    middle = place.y + text.block.ascents[0] - _X_HEIGHT * size / 2
    across = place.right - 2 * radius if text.from_right else place.x + radius / 2
    rounded(canvas, Rect(across, middle - radius, 2 * radius, 2 * radius), radius, colour)


def _bar(text: PlacedText, ground: Ground, accent: Colour, pixel: float) -> tuple[Rect, Colour]:
    long, thick, below = (value * pixel for value in BAR)
    ink = text.ink
    inset = text.block.overhang
    left = ink.right - long - inset if text.from_right else ink.x + inset
    if text.centred:
        left = ink.x + (ink.width - long) / 2
    rect = Rect(left, ink.bottom + below, long, max(1.0, thick))
    darkest, lightest = ground.range(rect)
    colour = readable(accent, darkest=darkest, lightest=lightest, ratio=_BAR_CONTRAST)
    return rect, colour or accent
