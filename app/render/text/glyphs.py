"""Glyphs: a line cut into runs of one font and direction, and these measured and drawn.

Fonts whose glyphs are pictures of one size (colour emoji) are measured and drawn at
that size, and scaled to the text's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw

from app.render.model.storyboard import Colour
from app.render.text import bidi, fonts
from app.render.text.brandfonts import BROKEN, FontFailed
from app.render.text.fontfiles import Face, Family, opened
from app.render.text.fonts import Fonts

#: Size at which fonts that are not vendored are measured.
_MEASURE_SIZE: Final = 128
#: Pixels by which hinting may move the edge of a glyph.
_HINTED: Final = 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one font and one direction."""

    text: str
    family: Family
    backwards: bool

    @property
    def direction(self) -> str:
        """How HarfBuzz calls it."""
        return "rtl" if self.backwards else "ltr"

    def length(self, size: float, *, bold: bool) -> float:
        """Return its width in pixels."""
        with self._told(bold=bold):
            if self.family.vendored:
                face = opened(self.family.face(bold=bold), size)
                return face.getlength(self.text, direction=self.direction)
            return _ems(self.family.face(bold=bold), self.family.strike, self)[0] * size

    def reach(self, size: float, *, bold: bool) -> tuple[float, float]:
        """Return how far it reaches above and below its base line, in pixels."""
        with self._told(bold=bold):
            if self.family.vendored:
                face = opened(self.family.face(bold=bold), size)
                box = face.getbbox(self.text, anchor="ls", direction=self.direction)
                return -box[1], box[3]
            _, above, below = _ems(self.family.face(bold=bold), self.family.strike, self)
            return above * size + _HINTED, below * size + _HINTED

    def draw(
        self,
        canvas: Image.Image,
        place: tuple[int, int],
        *,
        size: float,
        bold: bool,
        fill: Colour,
        silhouette: Colour | None = None,
    ) -> None:
        """Draw it on ``canvas``, its base line beginning at ``place``.

        Args:
            canvas: Changed.
            place: x and y in pixels.
            size: Pixels an em.
            bold: Whether in the bold face.
            fill: Colour of letters.
            silhouette: Glyphs that are pictures are drawn in this colour; by default in their own.
        """
        with self._told(bold=bold):
            if self.family.strike:
                picture, above = _picture(self.family, self.text, size)
                shown = picture if silhouette is None else silhouette
                corner = (place[0], place[1] - above)
                canvas.paste(shown, (*corner, *_plus(corner, picture.size)), mask=picture)
                return
            face = opened(self.family.face(bold=bold), size)
            ImageDraw.Draw(canvas).text(
                place, self.text, font=face, fill=fill, anchor="ls", direction=self.direction
            )

    @contextmanager
    def _told(self, *, bold: bool) -> Iterator[None]:
        """Tell which asset is to blame where its font turns out to be broken."""
        try:
            yield
        except (OSError, Image.DecompressionBombError) as error:
            asset_id = self.family.face(bold=bold).asset_id
            if not asset_id:
                raise
            raise FontFailed(BROKEN, asset_id=asset_id) from error


@lru_cache(maxsize=16384)
def _ems(face: Face, strike: int, run: Run) -> tuple[float, float, float]:
    """Return width, reach above and reach below in ems, which are the same at all sizes.

    A text is tried at many sizes, and to open a font of 20 MB costs milliseconds. What is
    vendored is measured at each size: it always was, and films are to stay as they are.
    """
    size = strike or _MEASURE_SIZE
    font = opened(face, size)
    box = font.getbbox(run.text, anchor="ls", direction=run.direction)
    return font.getlength(run.text, direction=run.direction) / size, -box[1] / size, box[3] / size


def _plus(place: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    return place[0] + size[0], place[1] + size[1]


@lru_cache(maxsize=64)
def _picture(family: Family, text: str, size: float) -> tuple[Image.Image, int]:
    """Return glyphs that are pictures, scaled to ``size``, and how far they reach upwards."""
    face = opened(family.regular, family.strike)
    _, top, right, bottom = map(int, face.getbbox(text, anchor="ls"))
    drawn = Image.new("RGBA", (max(1, right), max(1, bottom - top)))
    ImageDraw.Draw(drawn).text((0, -top), text, font=face, anchor="ls", embedded_color=True)
    scale = size / family.strike
    wide, high = (max(1, round(side * scale)) for side in drawn.size)
    # Drawn on nothing, colours come out multiplied by alpha.
    blended = Image.frombytes("RGBa", drawn.size, drawn.tobytes())
    scaled = blended.resize((wide, high), Image.Resampling.LANCZOS).convert("RGBA")
    return scaled, round(-top * scale)


def runs(text: str, *, rtl: bool) -> tuple[Run, ...]:
    """Cut one line into runs, as seen from the left."""
    return _runs(fonts.current(), text, rtl)


@lru_cache(maxsize=16384)
def _runs(known: Fonts, text: str, rtl: bool) -> tuple[Run, ...]:  # noqa: FBT001 - a cache key
    if text.isascii() and not rtl and not known.brand:
        return (Run(text, known.base, backwards=False),)
    levels = bidi.levels(text, rtl=rtl)
    pieces: list[tuple[int, int, Family, int]] = []
    for start, end, found in known.pieces(text):
        family = found or known.base
        if pieces and pieces[-1][2:] == (family, levels[start]):
            pieces[-1] = (pieces[-1][0], end, family, levels[start])
        else:
            pieces.append((start, end, family, levels[start]))
    order = bidi.visual_order([piece[3] for piece in pieces])
    seen = (pieces[index] for index in order)
    return tuple(
        Run(text[start:end], family, backwards=level % 2 == 1) for start, end, family, level in seen
    )
