"""Planes: 8-bit rasters that are moved by fractions of a pixel and blended into frames.

Frames are RGB arrays of shape (height, width, 3). Planes are premultiplied RGBA, because OpenCV
warps four channels three times as fast as three. Its bilinear warp is accurate to at least 1/32 of
a pixel. Rasters are made at the largest size that is shown, so the warp never enlarges them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.render.model.areas import Rect
from app.render.model.style import BLACK, WHITE
from app.render.model.themes import Colour
from app.render.story.motion import Affine

Pixels = NDArray[np.uint8]

#: Full opacity.
OPAQUE: Final = 255
_COLOUR_BITS: Final = 1 / 255


def single_threaded() -> None:
    """Restrict OpenCV to the calling thread: encoders use the cores, and output stays the same."""
    cv2.setNumThreads(1)


def plane(image: Image.Image) -> Pixels:
    """Return an ``RGB`` or ``RGBA`` image as premultiplied RGBA of shape (height, width, 4)."""
    if image.mode == "RGB":
        return cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2RGBA)  # type: ignore[return-value]  # cv2's types do not say uint8
    pixels = np.asarray(image).astype(np.uint16)
    alpha = pixels[..., 3:]
    pixels[..., :3] = (pixels[..., :3] * alpha + 127) // 255
    return pixels.astype(np.uint8)


def plate(size: tuple[int, int], paint: Callable[[Image.Image], None]) -> Pixels:
    """Return what ``paint`` draws as premultiplied RGBA of shape (height, width, 4).

    Over black, colours come out premultiplied by alpha. The difference from the same drawing over
    white gives alpha.

    Args:
        size: Width and height in pixels.
        paint: Draws on an ``RGB`` image of that size. Called twice.
    """
    dark = np.asarray(_painted(size, paint, BLACK))
    light = np.asarray(_painted(size, paint, WHITE).getchannel("G"))
    return np.dstack((dark, dark[..., 1] + (255 - light)))


def _painted(
    size: tuple[int, int], paint: Callable[[Image.Image], None], ground: Colour
) -> Image.Image:
    canvas = Image.new("RGB", size, ground)
    paint(canvas)
    return canvas


def trimmed(pixels: Pixels) -> tuple[Pixels, Rect]:
    """Return the part of a plate that is not empty, and its place in the plate."""
    x, y, width, height = cv2.boundingRect(cv2.extractChannel(pixels, 3))
    width, height = max(width, 1), max(height, 1)
    return pixels[y : y + height, x : x + width].copy(), Rect(x, y, width, height)


def covered(rect: Rect, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the pixels of a frame that ``rect`` touches."""
    left, top = max(0, math.floor(rect.x)), max(0, math.floor(rect.y))
    return left, top, min(width, math.ceil(rect.right)), min(height, math.ceil(rect.bottom))


def lay(canvas: Pixels, pixels: Pixels, place: Rect, *, opacity: int = OPAQUE) -> None:
    """Blend ``pixels`` into ``canvas`` at ``place``, whose sides are whole pixels."""
    height, width = canvas.shape[:2]
    left, top, right, bottom = covered(place, width, height)
    if left >= right or top >= bottom:
        return
    x, y = int(place.x), int(place.y)
    _blend(
        canvas[top:bottom, left:right], pixels[top - y : bottom - y, left - x : right - x], opacity
    )


def move(
    canvas: Pixels,
    pixels: Pixels,
    place: Rect,
    transform: Affine,
    *,
    window: Rect | None = None,
    opacity: int = OPAQUE,
) -> None:
    """Blend a plane into ``canvas``, transformed.

    Args:
        canvas: The frame, which is changed.
        pixels: The plane, of any size.
        place: Rectangle of the frame that the plane fills at rest.
        transform: Moves and scales ``place``.
        window: Clips the plane, which must then be opaque. Its edge pixels fill the rest of the
            window.
        opacity: 0 to 255.
    """
    frame_height, frame_width = canvas.shape[:2]
    target = transform.of(place)
    left, top, right, bottom = covered(
        target if window is None else _whole(window), frame_width, frame_height
    )
    if left >= right or top >= bottom or opacity == 0:
        return
    height, width = pixels.shape[:2]
    fx, fy = target.width / width, target.height / height
    # OpenCV addresses the centre of a pixel; a rectangle begins half a pixel earlier.
    matrix = np.array(
        [[fx, 0.0, target.x - left + (fx - 1) / 2], [0.0, fy, target.y - top + (fy - 1) / 2]]
    )
    border = cv2.BORDER_CONSTANT if window is None else cv2.BORDER_REPLICATE
    moved = cv2.warpAffine(
        pixels, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR, borderMode=border
    )
    part = canvas[top:bottom, left:right]
    if window is None:
        _blend(part, moved, opacity)  # type: ignore[arg-type]  # as above
    elif opacity == OPAQUE:
        cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB, dst=part)
    else:
        share = opacity / OPAQUE
        colours = cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB)
        cv2.addWeighted(colours, share, part, 1 - share, 0, dst=part)


def _whole(rect: Rect) -> Rect:
    x, y = round(rect.x), round(rect.y)
    return Rect(x, y, round(rect.right) - x, round(rect.bottom) - y)


def _blend(part: Pixels, pixels: Pixels, opacity: int) -> None:
    """Blend ``pixels`` into ``part`` of a frame, of the same size."""
    if opacity < OPAQUE:
        pixels = cv2.convertScaleAbs(pixels, alpha=opacity / OPAQUE)  # type: ignore[assignment]  # as above
    alpha = cv2.extractChannel(pixels, 3)
    if cv2.minMaxLoc(alpha)[0] == OPAQUE:
        cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB, dst=part)
        return
    through = cv2.cvtColor(cv2.bitwise_not(alpha, dst=alpha), cv2.COLOR_GRAY2RGB)
    cv2.multiply(part, through, dst=part, scale=_COLOUR_BITS)
    cv2.add(part, cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB, dst=through), dst=part)


def mixed(one: Pixels, other: Pixels, share: float) -> Pixels:
    """Return a mix of two frames, with a share of 0 to 1 of ``other``."""
    return cv2.addWeighted(one, 1 - share, other, share, 0)  # type: ignore[return-value]  # as above


def towards(canvas: Pixels, colour: Colour, share: float) -> Pixels:
    """Return a mix of a frame and a colour, with a share of 0 to 1 of ``colour``."""
    values = np.arange(256)[:, None]
    table = np.rint(values + (np.array(colour) - values) * share).astype(np.uint8)
    return cv2.LUT(canvas, table[None])  # type: ignore[return-value]  # as above


def moved(
    canvas: Pixels, transform: Affine, colour: Colour | None, *, size: tuple[int, int]
) -> Pixels:
    """Return a frame, transformed.

    Args:
        canvas: The frame.
        transform: Moves and scales it.
        colour: Fills what the frame leaves free. None continues the edges of the frame.
        size: Width and height of the result in pixels.
    """
    width, height = size
    result = np.empty((height, width, 3), np.uint8)
    whole = Rect(0, 0, width, height)
    if colour is not None:
        result[:] = colour
    wide = cv2.cvtColor(canvas, cv2.COLOR_RGB2RGBA)
    move(result, wide, whole, transform, window=whole if colour is None else None)  # type: ignore[arg-type]  # as above
    return result
