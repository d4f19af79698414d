"""Draws pictures as cards: with round corners, a mount and a shadow, as the theme has them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.render.model.areas import Rect, unit
from app.render.model.themes import Theme
from app.render.picture import planes
from app.render.picture.panels import rounded, rounded_mask
from app.render.picture.rasters import paste

#: Largest factor by which a blurred shadow is drawn smaller. It does not show.
_REDUCTION: Final = 8


def is_card(raster: Image.Image, place: Rect, others: list[Rect], size: tuple[int, int]) -> bool:
    """Return whether a picture is drawn as a card.

    A cut-out is none, nor is a picture that reaches an edge of the frame or lies on another.

    Args:
        raster: The picture.
        place: Its place in pixels.
        others: The places of the other pictures.
        size: Width and height of the frame in pixels.
    """
    inside = place.x > 0 and place.y > 0 and place.right < size[0] and place.bottom < size[1]
    return raster.mode == "RGB" and inside and not any(place.overlaps(other) for other in others)


def draw_card(
    canvas: Image.Image, raster: Image.Image, place: Rect, theme: Theme, *, pixel: float
) -> None:
    """Draw ``raster`` on ``canvas`` as a card. ``pixel`` is one of the reference frame's."""
    draw_frame(canvas, place, theme, pixel=pixel)
    corners = rounded_mask(raster.size, theme.radius * pixel)
    canvas.paste(raster, (int(place.x), int(place.y)), corners)


def card_plate(
    raster: Image.Image, place: Rect, theme: Theme, *, pixel: float
) -> tuple[NDArray[np.uint8], Rect]:
    """Return a card on a plate of its own, and the place of the plate around the same middle.

    Args:
        raster: The picture. It may be larger than its place.
        place: Its place in whole pixels.
        theme: The film's theme.
        pixel: Pixels of the frame per pixel of the reference frame.
    """
    scale = raster.width / place.width
    shadow = theme.shadow
    reach = shadow.blur + max(shadow.down, shadow.right) + theme.mount.width
    around = math.ceil(reach * pixel) + 1
    edge = round(around * scale)
    size = (raster.width + 2 * edge, raster.height + 2 * edge)
    inside, larger = Rect(edge, edge, raster.width, raster.height), pixel * scale
    pixels = planes.plate(size, lambda page: draw_card(page, raster, inside, theme, pixel=larger))
    return pixels, place.inset(-around)


def draw_frame(canvas: Image.Image, place: Rect, theme: Theme, *, pixel: float) -> None:
    """Draw shadow and mount of a card at ``place``."""
    mount = max(1.0, round(theme.mount.width * pixel))
    outer, radius = place.inset(-mount), theme.radius * pixel + mount
    _draw_shadow(canvas, outer, radius, theme, pixel)
    rounded(canvas, outer, radius, theme.mount.colour, theme.mount.opacity)


def _draw_shadow(
    canvas: Image.Image, card: Rect, radius: float, theme: Theme, pixel: float
) -> None:
    shadow = theme.shadow
    x, y = card.x + shadow.right * pixel, card.y + shadow.down * pixel
    if not shadow.blur:
        rounded(canvas, Rect(x, y, card.width, card.height), radius, shadow.colour, shadow.opacity)
        return
    reach = shadow.blur * pixel
    factor = max(1, min(_REDUCTION, int(reach) // _REDUCTION))
    edge = math.ceil(reach / factor)
    inner = (max(1, round(card.width / factor)), max(1, round(card.height / factor)))
    mask = Image.new("L", (inner[0] + 2 * edge, inner[1] + 2 * edge))
    mask.paste(round(255 * shadow.opacity), (edge, edge), rounded_mask(inner, radius / factor))
    # Three deviations of the blur reach as far as the shadow does.
    soft = mask.filter(ImageFilter.GaussianBlur(reach / factor / 3))
    whole = soft.resize((soft.width * factor, soft.height * factor), Image.Resampling.BICUBIC)
    canvas.paste(shadow.colour, (round(x) - edge * factor, round(y) - edge * factor), whole)


def draw_picture(
    canvas: Image.Image, raster: Image.Image, place: Rect, others: list[Rect], theme: Theme
) -> None:
    """Draw a picture on ``canvas``, as a card if it can be one."""
    if is_card(raster, place, others, canvas.size):
        draw_card(canvas, raster, place, theme, pixel=unit(*canvas.size))
    else:
        paste(canvas, raster, place)
