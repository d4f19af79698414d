"""Frames: which of them are alike, and the picture of each such run.

A frame is a function of the storyboard and its number. It changes only where
a text or picture comes or goes, so a film is a few runs of equal frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from app.render import layout
from app.render.areas import Rect, unit
from app.render.panels import legible_colours, luminance_range, rounded
from app.render.picture import load_picture
from app.render.slots import BAR
from app.render.style import DARK_INK, INK, pill_colours, readable
from app.render.text import OVERHANG, draw_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.render.layout import Layout, PlacedText
    from app.render.storyboard import Colour, Fit, Picture, Span, Step, Storyboard

#: Blurred grounds are blurred at this fraction of their size, then enlarged: nobody sees it.
_BLUR_REDUCTION: Final = 8
#: Radius of that blur, as a share of the frame's short side.
_BLUR_SHARE: Final = 0.035
#: Contrast of the accent bar, which is no text (WCAG 1.4.11).
_BAR_CONTRAST: Final = 3.0


@dataclass(frozen=True, slots=True)
class Run:
    """``frames`` equal frames of a step; ``start_frame`` counts from the film's first frame."""

    step_index: int
    start_frame: int
    frames: int


def runs(storyboard: Storyboard) -> tuple[Run, ...]:
    """Return the film as runs of equal frames, in order, without a gap."""
    found = []
    for index, step in enumerate(storyboard.steps):
        spans = [text.span for text in step.texts] + [layer.span for layer in step.pictures]
        moments = {0, *(span.start for span in spans), *(span.end for span in spans)}
        starts: list[int] = []
        seen: tuple[bool, ...] | None = None
        for moment in sorted(at for at in moments if 0 <= at < step.frames):
            state = tuple(_shows(span, moment) for span in spans)
            if state != seen:
                starts.append(moment)
                seen = state
        for start, end in zip(starts, [*starts[1:], step.frames], strict=True):
            found.append(Run(index, step.start + start, end - start))
    return tuple(found)


def _shows(span: Span, frame: int) -> bool:
    return span.start <= frame < span.end


class Compositor:
    """Draws the frames of a storyboard.

    Holds the rasters of one step only: its ground (3 bytes a pixel of the
    frame) and its pictures at the size they are shown (4 bytes a pixel).
    """

    def __init__(self, storyboard: Storyboard) -> None:
        self._storyboard = storyboard
        self._size = (storyboard.width, storyboard.height)
        self._pixel = unit(storyboard.width, storyboard.height)
        self._index = -1
        self._ground = Image.new("RGB", (1, 1))
        self._layout: Layout
        self._rasters: list[tuple[Image.Image, tuple[int, int], Span]] = []

    def picture(self, run: Run) -> NDArray[np.uint8]:
        """Return the frame that ``run`` repeats: uint8 sRGB of shape (height, width, 3).

        Raises:
            AssetFailed: A picture of the step cannot be decoded.
        """
        step = self._storyboard.steps[run.step_index]
        if run.step_index != self._index:
            self._enter(run.step_index, step)
        frame = run.start_frame - step.start
        canvas = self._ground.copy()
        for raster, corner, span in self._rasters:
            if _shows(span, frame):
                canvas.paste(raster, corner, raster if raster.mode == "RGBA" else None)
        texts = [text for text in self._layout.texts if _shows(text.layer.span, frame)]
        self._draw_texts(canvas, texts, step.accent)
        return np.asarray(canvas)

    def _enter(self, index: int, step: Step) -> None:
        self._index, self._rasters = -1, []
        self._layout = layout.place(
            step.texts, step.pictures, width=self._size[0], height=self._size[1]
        )
        self._ground = self._draw_ground(step)
        for layer, rect in self._layout.pictures:
            raster, corner = _fitted(layer.picture, rect, layer.fit)
            self._rasters.append((raster, corner, layer.span))
        self._index = index

    def _draw_ground(self, step: Step) -> Image.Image:
        background = step.background
        ground = Image.new("RGB", self._size, background.colour)
        if background.picture is None:
            return ground
        whole = Rect(0, 0, *self._size)
        if background.style == "blur-fill":
            cover, _ = _fitted(background.picture, whole, "cover")
            _paste(ground, _blurred(cover), (0, 0))
        fit: Fit = "cover" if background.style == "cover" else "contain"
        raster, corner = _fitted(background.picture, whole, fit)
        _paste(ground, raster, corner)
        return ground

    def _draw_texts(self, canvas: Image.Image, texts: list[PlacedText], accent: Colour) -> None:
        wanted = [_wanted(text, accent) for text in texts]
        colours = legible_colours(canvas, texts, wanted, pixel=self._pixel)
        draw = ImageDraw.Draw(canvas)
        for text, given in zip(texts, colours, strict=True):
            colour, ink = given, text.ink
            if text.style.pill:
                ground, colour = pill_colours(given)
                rounded(canvas, ink, min(ink.height / 2, text.block.size), ground)
            column = text.text_rect
            draw_block(
                draw, text.block, x=column.x, y=column.y, width=column.width,
                centred=text.centred or text.style.pill, fill=colour,
            )  # fmt: skip
            if text.bar:
                self._draw_bar(canvas, text, accent)

    def _draw_bar(self, canvas: Image.Image, text: PlacedText, accent: Colour) -> None:
        long, thick, below = (value * self._pixel for value in BAR)
        ink = text.ink
        inset = OVERHANG * text.block.size
        left = ink.right - long - inset if text.from_right else ink.x + inset
        if text.centred:
            left = ink.x + (ink.width - long) / 2
        rect = Rect(left, ink.bottom + below, long, max(1.0, thick))
        darkest, lightest = luminance_range(canvas, rect)
        colour = readable(accent, darkest=darkest, lightest=lightest, ratio=_BAR_CONTRAST)
        rounded(canvas, rect, thick / 2, colour or accent)


def _wanted(text: PlacedText, accent: Colour) -> tuple[Colour, ...]:
    """Return colours to try: the author's, else the role's own for dark and for light ground."""
    own = text.layer.colour or text.style.colour or accent
    return (own, DARK_INK) if own == INK else (own,)


def _paste(canvas: Image.Image, raster: Image.Image, corner: tuple[int, int]) -> None:
    canvas.paste(raster, corner, raster if raster.mode == "RGBA" else None)


def _fitted(picture: Picture, rect: Rect, fit: Fit) -> tuple[Image.Image, tuple[int, int]]:
    """Return a picture scaled to ``rect`` and the place of its top left corner."""
    x, y = round(rect.x), round(rect.y)
    box = (max(1, round(rect.right) - x), max(1, round(rect.bottom) - y))
    image = load_picture(picture.path, asset_id=picture.asset_id, needed=box)
    if fit == "cover":
        return ImageOps.fit(image, box, Image.Resampling.LANCZOS), (x, y)
    scaled = ImageOps.contain(image, box, Image.Resampling.LANCZOS)
    return scaled, (x + (box[0] - scaled.width) // 2, y + (box[1] - scaled.height) // 2)


def _blurred(image: Image.Image) -> Image.Image:
    small = image.resize(
        (max(1, image.width // _BLUR_REDUCTION), max(1, image.height // _BLUR_REDUCTION)),
        Image.Resampling.BOX,
    )
    radius = min(small.size) * _BLUR_SHARE
    blurred = small.filter(ImageFilter.GaussianBlur(radius))
    return blurred.resize(image.size, Image.Resampling.BICUBIC)
