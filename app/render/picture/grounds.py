"""Draws the ground of a theme, behind everything else.

What varies on a ground stays so close to its colours that text can be read anywhere on it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.render.model.areas import unit
from app.render.model.style import REFERENCE_SIDE, WHITE, mix
from app.render.model.themes import Colour, Theme

Plane = NDArray[np.floating[Any]]

#: Direction in which night grows lighter: mostly down, a little to the right.
_DOWN, _RIGHT = 0.8, 0.2
#: Glow of night: its place in fractions of the frame, radius in short sides, and strength.
_GLOW: Final = (0.86, 0.0, 0.42, 0.16)
#: Stars of night: their number, strength, and the share of the frame's height that they fill.
_STARS, _STAR_STRENGTH, _SKY = 46, 0.16, 0.5
#: Light and dark of paper's fibres and of felt's nap, in 8-bit levels.
_FIBRE, _NAP = 1.8, 3.5
#: Width of felt's wooden rail, and radius of bright's discs, in pixels of the reference frame.
_RAIL, _DISC = 18.0, 86.0
#: Factor by which slow changes are computed smaller, and side of a tile of noise in pixels.
_REDUCTION, _TILE = 8, 256
_WOOD: Final[Colour] = (74, 44, 24)
_BRASS: Final[Colour] = (196, 154, 78)
_RED: Final[Colour] = (229, 37, 28)


@lru_cache(maxsize=2)
def theme_ground(theme: Theme, size: tuple[int, int]) -> Image.Image:
    """Return the ground of ``theme``. The caller must not change it.

    Args:
        theme: The theme.
        size: Width and height in pixels.
    """
    return {"stars": _night, "paper": _paper, "felt": _felt, "discs": _bright}[theme.pattern](
        theme, size
    )


def _night(theme: Theme, size: tuple[int, int]) -> Image.Image:
    x, y = _places(_coarse(size))
    along = np.clip(_DOWN * y + _RIGHT * x, 0, 1) ** 1.5
    canvas = _between(theme.ground, theme.rim, along)
    left, top, radius, strength = _GLOW
    side = min(size)
    away = np.hypot((x - left) * size[0], (y - top) * size[1]) / (radius * side)
    glow = strength * np.clip(1 - away, 0, 1) ** 2
    canvas += glow[..., None] * (np.array(theme.accent, np.float32) - canvas)
    image = _image(canvas, size)
    pen = ImageDraw.Draw(image)
    for across, down, large in np.random.default_rng(7).random((_STARS, 3)):
        place = (across * size[0], down * _SKY * size[1])
        dot = (1 + 1.6 * large) * side / REFERENCE_SIDE
        here = image.getpixel((int(place[0]), int(place[1])))
        assert isinstance(here, tuple)  # noqa: S101 - an RGB picture has tuples
        colour = mix((here[0], here[1], here[2]), theme.text, _STAR_STRENGTH)
        pen.ellipse((place[0] - dot, place[1] - dot, place[0] + dot, place[1] + dot), fill=colour)
    return image


def _paper(theme: Theme, size: tuple[int, int]) -> Image.Image:
    canvas = _between(theme.ground, theme.rim, _from_centre(_coarse(size)) ** 2)
    return _image(canvas, size, grain=_FIBRE * _grain(1.6))


def _felt(theme: Theme, size: tuple[int, int]) -> Image.Image:
    canvas = _between(theme.ground, theme.rim, _from_centre(_coarse(size)) ** 1.6)
    # The nap only darkens, so that text keeps its contrast.
    image = _image(canvas, size, grain=-_NAP * np.abs(_grain(1.4)))
    rail = max(1, round(_RAIL * unit(*size)))
    pen = ImageDraw.Draw(image)
    for edge in range(rail):
        shade = mix(_WOOD, theme.plate, 0.5 * edge / rail)
        colour = _BRASS if edge == rail - max(1, rail // 6) else shade
        pen.rectangle((edge, edge, size[0] - 1 - edge, size[1] - 1 - edge), outline=colour)
    return image


def _bright(theme: Theme, size: tuple[int, int]) -> Image.Image:
    scale = 4  # drawn larger and reduced, for smooth edges
    radius = round(_DISC * unit(*size))
    image = Image.new("RGB", size, theme.ground)
    places = ((0, 0), (size[0], 0), (size[0], size[1]), (0, size[1]))
    colours = (WHITE, theme.accent, WHITE, _RED)
    disc = Image.new("L", (2 * radius * scale,) * 2)
    ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
    mask = disc.reduce(scale)
    for (x, y), colour in zip(places, colours, strict=True):
        image.paste(colour, (x - radius, y - radius), mask)
    return image


def _places(size: tuple[int, int]) -> tuple[Plane, Plane]:
    """Return x and y of each pixel in fractions of the frame."""
    x = np.linspace(0, 1, size[0], dtype=np.float32)
    y = np.linspace(0, 1, size[1], dtype=np.float32)
    return x[None, :], y[:, None]


def _from_centre(size: tuple[int, int]) -> Plane:
    """Return the distance of each pixel from the centre: 0 there, 1 in the corners."""
    x, y = _places(size)
    return np.asarray(np.hypot(x - 0.5, y - 0.5) * np.float32(2**0.5))


def _between(one: Colour, other: Colour, share: Plane) -> Plane:
    """Return the colours from ``one`` (share 0) to ``other`` (1), of shape (height, width, 3)."""
    first, last = np.array(one, np.float32), np.array(other, np.float32)
    return np.asarray(first + share[..., None] * (last - first))


def _coarse(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size at which slow changes are computed."""
    return max(2, size[0] // _REDUCTION), max(2, size[1] // _REDUCTION)


def _grain(spread: float) -> Plane:
    """Return a tile of smooth noise with a deviation of 1, which continues at its edges."""
    noise = np.random.default_rng(2).standard_normal((_TILE, _TILE), np.float32)
    around = cv2.copyMakeBorder(noise, 8, 8, 8, 8, cv2.BORDER_WRAP)
    blurred = cv2.GaussianBlur(around, (0, 0), spread)[8:-8, 8:-8]
    return np.asarray(blurred / blurred.std(), np.float32)


def _image(canvas: Plane, size: tuple[int, int], *, grain: Plane | None = None) -> Image.Image:
    """Return ``canvas`` enlarged to ``size`` in 8 bits.

    Args:
        canvas: The colours in a reduced size.
        size: Width and height in pixels.
        grain: A tile in 8-bit levels to add. It is as coarse in every size of frame.
    """
    levels = cv2.resize(canvas, size, interpolation=cv2.INTER_LINEAR)
    if grain is not None:
        side = max(2, round(_TILE * 2 * unit(*size)))
        scaled = cv2.resize(grain, (side, side), interpolation=cv2.INTER_LINEAR)
        _add(levels, np.asarray(scaled, np.float32))
    return Image.fromarray(cv2.convertScaleAbs(levels).astype(np.uint8, copy=False))


def _add(levels: NDArray[Any], tile: Plane) -> None:
    """Add ``tile`` to all of ``levels``, side by side."""
    height, width = levels.shape[:2]
    times = (-(-height // tile.shape[0]), -(-width // tile.shape[1]), 1)
    tiled = np.tile(cv2.merge([tile, tile, tile]), times)[:height, :width]
    cv2.add(levels, np.ascontiguousarray(tiled), dst=levels)
