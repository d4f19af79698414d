"""Scales and crops pictures to where they are shown, and draws backgrounds."""

from __future__ import annotations

import math
from typing import Final

from PIL import Image, ImageFilter

from app.render.model.areas import Rect, unit
from app.render.model.storyboard import Background, Box, Fit, Picture
from app.render.model.style import BLACK, WHITE, luminance, mix
from app.render.model.themes import NIGHT, Colour, Theme
from app.render.picture.decoding import load_picture
from app.render.picture.grounds import theme_ground

#: Factor by which a background is reduced before the blur, and enlarged after. It does not show.
_BLUR_REDUCTION: Final = 8
#: Radius of the blur, relative to the short side of the frame.
_BLUR_SHARE: Final = 0.035
#: Share of white (on a dark background) or black that shades the panel of split-teaching.
_PANEL_SHADE: Final = 0.07
#: Relative luminance above which a background counts as light.
_MIDDLE: Final = 0.18
#: Thickness of the panel's edge, in pixels of the reference frame.
_EDGE: Final = 6.0


def fitted(
    picture: Picture, rect: Rect, fit: Fit, *, focus: Box | None = None, scale: float = 1.0
) -> tuple[Image.Image, Rect]:
    """Return a picture scaled to ``rect``, and the whole pixels that it covers.

    Args:
        picture: The picture.
        rect: Its place in pixels, which is rounded.
        fit: ``contain`` shows the whole picture; ``cover`` fills ``rect`` and crops.
        focus: Part that a crop must keep, in fractions of the picture. If the part is larger than
            the crop, the whole picture is shown.
        scale: Size of the raster relative to the pixels that it covers.

    Raises:
        AssetFailed: The picture cannot be decoded.
    """
    x, y = round(rect.x), round(rect.y)
    box = (max(1, round(rect.right) - x), max(1, round(rect.bottom) - y))
    needed = (math.ceil(box[0] * scale), math.ceil(box[1] * scale))
    image = load_picture(picture.path, asset_id=picture.asset_id, needed=needed)
    crop = _crop(image.size, box, focus) if fit == "cover" else None
    if crop is None:
        share = min(box[0] / image.width, box[1] / image.height)
        size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
        x, y = x + (box[0] - size[0]) // 2, y + (box[1] - size[1]) // 2
    else:
        size = box
    pixels = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    raster = image.resize(pixels, Image.Resampling.LANCZOS, box=crop)
    return raster, Rect(x, y, *size)


def _crop(
    size: tuple[int, int], box: tuple[int, int], focus: Box | None
) -> tuple[float, float, float, float] | None:
    """Return the part of a picture of ``size`` that fills ``box``; None if it cuts the focus."""
    scale = min(size[0] / box[0], size[1] / box[1])
    sides = (min(box[0] * scale, size[0]), min(box[1] * scale, size[1]))
    wanted = focus or Box(0.5, 0.5, 0.0, 0.0)
    extent = (wanted.width * size[0], wanted.height * size[1])
    if extent[0] > sides[0] + 1 or extent[1] > sides[1] + 1:
        return None
    middle = (wanted.x * size[0] + extent[0] / 2, wanted.y * size[1] + extent[1] / 2)
    left = min(max(0.0, middle[0] - sides[0] / 2), size[0] - sides[0])
    top = min(max(0.0, middle[1] - sides[1] / 2), size[1] - sides[1])
    return left, top, min(left + sides[0], size[0]), min(top + sides[1], size[1])


def ground(background: Background, size: tuple[int, int], theme: Theme = NIGHT) -> Image.Image:
    """Return the background of a step.

    Args:
        background: The background.
        size: Width and height in pixels.
        theme: The film's theme.

    Raises:
        AssetFailed: The picture cannot be decoded.
    """
    if background.themed:
        return theme_ground(theme, size).copy()
    canvas = Image.new("RGB", size, background.colour)
    picture, style = background.picture, background.style
    if picture is None:
        return canvas
    whole = Rect(0, 0, *size)
    if style == "blur-fill":
        cover, place = fitted(picture, whole, "cover")
        paste(canvas, _blurred(cover), place)
    fit: Fit = "cover" if style == "cover" else "contain"
    raster, place = fitted(picture, whole, fit, focus=background.focus)
    paste(canvas, raster, place)
    return canvas


def draw_split(canvas: Image.Image, panel: Rect, colour: Colour, accent: Colour) -> None:
    """Draw the panel of split-teaching over one side of ``canvas``, with an edge in ``accent``."""
    left, top, right, bottom = map(round, (panel.x, panel.y, panel.right, panel.bottom))
    canvas.paste(colour, (left, top, right, bottom))
    thick = max(1, round(_EDGE * unit(*canvas.size)))
    if bottom - top < canvas.height:
        canvas.paste(accent, (left, top, right, top + thick))
    elif left:
        canvas.paste(accent, (left, top, left + thick, bottom))
    else:
        canvas.paste(accent, (right - thick, top, right, bottom))


def paste(canvas: Image.Image, raster: Image.Image, place: Rect) -> None:
    """Draw ``raster`` on ``canvas`` at the top left corner of ``place``."""
    corner = (int(place.x), int(place.y))
    canvas.paste(raster, corner, raster if raster.mode == "RGBA" else None)


def panel_colour(background: Background, theme: Theme) -> Colour:
    """Return the colour of a panel on ``background``."""
    if background.themed:
        return theme.surface
    end = WHITE if luminance(background.colour) < _MIDDLE else BLACK
    return mix(background.colour, end, _PANEL_SHADE)


def _blurred(image: Image.Image) -> Image.Image:
    small = image.resize(
        (max(1, image.width // _BLUR_REDUCTION), max(1, image.height // _BLUR_REDUCTION)),
        Image.Resampling.BOX,
    )
    radius = min(small.size) * _BLUR_SHARE
    blurred = small.filter(ImageFilter.GaussianBlur(radius))
    return blurred.resize(image.size, Image.Resampling.BICUBIC)
