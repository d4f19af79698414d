"""Ink: runs as pictures, a mask for letters, colours for emoji.

Pictures of runs are kept: the same words are drawn on many frames, and as shadows.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import uharfbuzz as hb
from numpy.typing import NDArray
from PIL import Image

from app.render.text.runs import Run
from app.render.text.shaping import Shaped, fault, opened

#: Letters are placed to a quarter of a pixel; finer places cannot be told apart.
STEPS: Final = 4
#: Runs whose ink is kept: a line at 1080p takes some 100 kB.
_KEPT: Final = 256
#: HarfBuzz draws nothing beyond the extents, which are larger than the ink by this, in pixels.
_MARGIN: Final = 1
#: Most pixels of a run: more than a frame in 8K.
_MOST_PIXELS: Final = 50_000_000
#: Longest side of a bitmap in a font, in pixels; those of emoji have 109 to 160.
_LONGEST_SIDE: Final = 1024


@dataclass(frozen=True, slots=True)
class Ink:
    """A picture of a run.

    Attributes:
        picture: Mode ``L``, the coverage of letters; or ``RGBA``, emoji in their colours.
        left: From the beginning of the run to the left edge of the picture, in pixels.
        above: From the base line up to the upper edge of the picture, in pixels.
    """

    picture: Image.Image
    left: int
    above: int


@lru_cache(maxsize=_KEPT)
def ink(run: Run, size: float, *, bold: bool, step: int = 0) -> Ink | None:
    """Return the picture of ``run``, or None if it has no ink.

    Args:
        run: What to draw.
        size: Pixels an em.
        bold: Whether in the bold face.
        step: How far right of a whole pixel it begins, in quarters of a pixel.

    Raises:
        FontFailed: The family is a job's asset, and broken.
        OSError: Another font is broken.
    """
    shaped = run.shaped(bold=bold)
    if not shaped.glyphs:
        return None
    font = opened(run.face(bold=bold))
    begin = step / STEPS
    left = math.floor(begin + shaped.left * size) - _MARGIN
    right = math.ceil(begin + shaped.right * size) + _MARGIN
    above = math.ceil(shaped.above * size) + _MARGIN
    below = math.ceil(shaped.below * size) + _MARGIN
    if (right - left) * (above + below) > _MOST_PIXELS:
        raise fault(run.face(bold=bold))
    extents = hb.RasterExtents(left, -below, right - left, above + below)
    draw = _painted if run.family.emoji else _outlined
    try:
        return Ink(draw(font, shaped, size, begin, extents), left, above)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise fault(run.face(bold=bold)) from error  # a bitmap in it is not a PNG


def _outlined(
    font: hb.Font, shaped: Shaped, size: float, begin: float, extents: hb.RasterExtents
) -> Image.Image:
    raster = hb.RasterDraw()
    scale = size / font.face.upem
    for glyph in shaped.glyphs:
        raster.transform = (scale, 0, 0, scale, begin + glyph.x * size, glyph.y * size)
        raster.draw_glyph(font, glyph.id)
    raster.extents = extents
    return Image.fromarray(_rows(raster.render(), channels=1)[..., 0])


def _painted(
    font: hb.Font, shaped: Shaped, size: float, begin: float, extents: hb.RasterExtents
) -> Image.Image:
    paint = hb.RasterPaint()
    paint.extents = extents
    scale, top = size / font.face.upem, extents.y_origin + extents.height
    bitmaps: list[tuple[Image.Image, tuple[int, int]]] = []
    for glyph in shaped.glyphs:
        left, base = begin + glyph.x * size, glyph.y * size
        if png := _png(font, glyph.id):
            box = font.get_glyph_extents(glyph.id)
            corner = (left + box.x_bearing * scale, base + box.y_bearing * scale)
            place = (round(corner[0]) - extents.x_origin, top - round(corner[1]))
            picture = _bitmap(png, round(box.width * scale), round(-box.height * scale))
            bitmaps.append((picture, place))
        else:
            paint.transform = (scale, 0, 0, scale, left, base)
            paint.paint_glyph(font, glyph.id)
    rows = _rows(paint.render(), channels=4)[..., [2, 1, 0, 3]]  # HarfBuzz's order is BGRA
    canvas = Image.frombytes("RGBa", (extents.width, extents.height), rows.tobytes())
    canvas = canvas.convert("RGBA")
    for picture, place in bitmaps:
        canvas.alpha_composite(picture, place)
    return canvas


def _png(font: hb.Font, glyph: int) -> bytes:
    """Return the picture of a glyph in a bitmap font (CBDT, sbix), as PNG; else nothing."""
    if not font.face.has_color_png:
        return b""
    blob = font.get_glyph_color_png(glyph)
    return bytes(blob.data) if blob else b""


def _bitmap(png: bytes, width: int, height: int) -> Image.Image:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as opened_png:
        if max(opened_png.size) > _LONGEST_SIDE:
            raise ValueError("an absurdly large bitmap")
        picture = opened_png.convert("RGBA").convert("RGBa")  # transparent pixels have no colour
    size = (max(1, width), max(1, height))
    return picture.resize(size, Image.Resampling.LANCZOS).convert("RGBA")


def _rows(image: hb.RasterImage, *, channels: int) -> NDArray[np.uint8]:
    """Return pixels as (height, width, channels), the upper row first."""
    extents = image.extents
    rows = np.frombuffer(image.buffer, np.uint8).reshape(extents.height, extents.stride)
    rows = rows[::-1, : extents.width * channels]
    return np.ascontiguousarray(rows).reshape(extents.height, extents.width, channels)
