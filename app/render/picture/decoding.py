"""Pictures: decode what a job's author sent, and nothing but a picture of sane size."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from app.errors import AssetFailed, ErrorItem
from app.render.model.request import Request

#: Formats that are decoded; every other decoder stays unreachable.
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
#: Pixels of a picture, decoded.
MAX_PIXELS: Final = 50_000_000
#: JPEG, and the several JPEGs in a file that phones make: they can be decoded smaller.
_JPEG: Final = ("JPEG", "MPO")
#: Modes whose pixels can be averaged as they are.
_REDUCIBLE: Final = ("RGB", "RGBA", "L", "LA", "CMYK")
#: How much larger than needed a reduced picture stays.
_GAP: Final = 2
#: Highest value of 8 bits.
_BYTE: Final = 255


class PictureFailed(AssetFailed):
    """A picture cannot be decoded.

    Attributes:
        asset_id: Which.
    """

    def __init__(self, detail: str, *, asset_id: str, pointer: str = "") -> None:
        super().__init__(detail, errors=[ErrorItem(pointer, "picture-unusable", detail)])
        self.asset_id = asset_id


@contextmanager
def pointing_into(request: Request) -> Iterator[None]:
    """Have errors about pictures point to their assets in the payload of ``request``.

    Raises:
        PictureFailed: With a JSON pointer.
    """
    try:
        yield
    except PictureFailed as error:
        pointer = request.pointers[error.asset_id]
        raise PictureFailed(error.detail, asset_id=error.asset_id, pointer=pointer) from error


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
        PictureFailed: No picture of an allowed format, broken, truncated, or too large.
    """
    name = f"asset {asset_id!r}"
    try:
        with warnings.catch_warnings():
            # Pillow's hints: at sizes (the limit here is stricter), and at metadata of no use.
            warnings.simplefilter("ignore")
            return _to_srgb(*_loaded(path, max_pixels, needed))
    except UnidentifiedImageError:
        detail = f"{name} is no PNG, JPEG, WebP, GIF or AVIF picture"
    except Image.DecompressionBombError:
        detail = f"{name} has more than {max_pixels} pixels"
    except _TooLarge as error:
        detail = f"{name} has {error} pixels, at most {max_pixels} are allowed"
    except MemoryError:
        detail = f"{name} needs more memory than a render may use; send a smaller picture"
    except Exception:  # noqa: BLE001 - there is no list of what decoders raise on broken files
        detail = f"{name} is a broken picture"
    raise PictureFailed(detail, asset_id=asset_id)


class _TooLarge(Exception):
    """More pixels than allowed; the message is the size."""


def _loaded(
    path: Path, max_pixels: int, needed: tuple[int, int] | None
) -> tuple[Image.Image, bytes | None]:
    """Return the first frame as it is, upright, and its colour profile."""
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > max_pixels:
            raise _TooLarge(f"{image.width}x{image.height}")
        if needed is not None and image.format in _JPEG:
            side = max(needed)  # a rotation by EXIF may swap the sides
            image.draft(None, (side, side))
        image.load()
        profile = image.info.get("icc_profile")
        # One copy of 50 megapixels has 200 MB: there is one at a time, and soon none.
        ImageOps.exif_transpose(image, in_place=True)
        upright = image if needed is None else _reduced(image, needed)
        return upright, profile if isinstance(profile, bytes) else None


def _reduced(image: Image.Image, needed: tuple[int, int]) -> Image.Image:
    """Return a picture that is far larger than needed at a whole fraction of its size.

    Twice the needed size is left, as by ``reducing_gap=2`` of Pillow's ``thumbnail``: what
    scales it down then makes the quality.
    """
    factor = min(have // (_GAP * want) for have, want in zip(image.size, needed, strict=True))
    by_key = "transparency" in image.info  # no average of colours may be the transparent one
    if factor < _GAP or by_key or image.mode not in _REDUCIBLE:
        return image
    return image.reduce(factor)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    alpha = _alpha(image)
    if image.mode.startswith("I;16") or image.mode == "I":
        wide = np.asarray(image).astype(np.int64) >> 8
        image = Image.fromarray(wide.clip(0, _BYTE).astype(np.uint8))
    colours = _profiled(image, profile) or image.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def _alpha(image: Image.Image) -> Image.Image | None:
    if not image.has_transparency_data:
        return None
    key = image.info.get("transparency")
    if image.mode.startswith("I"):
        alpha = Image.fromarray(np.where(np.asarray(image) == key, 0, _BYTE).astype(np.uint8))
    else:
        if isinstance(key, tuple) and max(key) > _BYTE:
            # The one colour that is transparent, of a picture whose 16 bits Pillow has cut to 8.
            image.info["transparency"] = tuple(value >> 8 for value in key)
        if "A" not in image.getbands():
            image = image.convert("RGBA")
        alpha = image.getchannel("A")
    return None if alpha.getextrema() == (_BYTE, _BYTE) else alpha


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
