"""Pictures: decode what a job's author sent, and nothing but a picture of sane size."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from app.errors import AssetFailed, ErrorItem

if TYPE_CHECKING:
    from pathlib import Path

#: Formats that are decoded; every other decoder stays unreachable.
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
#: Pixels of a picture, decoded.
MAX_PIXELS: Final = 50_000_000
#: What Pillow's decoders raise on broken files.
_BROKEN: Final = (OSError, SyntaxError, ValueError, IndexError, TypeError, EOFError, MemoryError)


def load_picture(
    path: Path,
    *,
    asset_id: str = "",
    max_pixels: int = MAX_PIXELS,
    needed: tuple[int, int] | None = None,
) -> Image.Image:
    """Return the first frame of a picture: upright, sRGB, ``RGB`` or ``RGBA``.

    Args:
        path: The file.
        asset_id: Named in errors.
        max_pixels: More than this are refused before any is decoded.
        needed: Width and height to which it will be scaled. A larger JPEG is
            then decoded at a half, a quarter or an eighth of its size.

    Raises:
        AssetFailed: No picture of an allowed format, broken, truncated, or too large.
    """
    name = f"asset {asset_id!r}"
    try:
        with warnings.catch_warnings():
            # The limit below is stricter than the one that Pillow warns of.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError:
        raise _failed(f"{name} is no PNG, JPEG, WebP or GIF picture") from None
    except Image.DecompressionBombError:
        raise _failed(f"{name} has more than {max_pixels} pixels") from None
    except _BROKEN:
        raise _failed(f"{name} is a broken picture") from None
    with image:
        if image.width * image.height > max_pixels:
            size = f"{image.width}x{image.height}"
            raise _failed(f"{name} has {size} pixels, at most {max_pixels} are allowed")
        try:
            return _decoded(image, needed)
        except _BROKEN:
            raise _failed(f"{name} is a broken picture") from None


def _failed(detail: str) -> AssetFailed:
    return AssetFailed(detail, errors=[ErrorItem("", "picture-unusable", detail)])


def _decoded(image: Image.Image, needed: tuple[int, int] | None) -> Image.Image:
    if needed is not None and image.format == "JPEG":
        side = max(needed)  # a rotation by EXIF may swap the sides
        image.draft(None, (side, side))
    image.load()
    upright = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    return _to_srgb(upright, profile if isinstance(profile, bytes) else None)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        wide = np.asarray(image).astype(np.int64) >> 8
        image = Image.fromarray(wide.clip(0, 255).astype(np.uint8))
    alpha = _alpha(image)
    colours = _profiled(image, profile) or image.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def _alpha(image: Image.Image) -> Image.Image | None:
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _profiled(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """Return the picture in sRGB by its own profile; None when it has none that fits."""
    if not profile:
        return None
    plain = {"RGBA": "RGB", "P": "RGB", "PA": "RGB", "LA": "L"}.get(image.mode, image.mode)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        flat = image.convert(plain)
        return ImageCms.profileToProfile(flat, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A broken or foreign profile: the plain conversion is what every browser shows.
        return None
