"""Decodes the pictures of a job, which are untrusted, within limits of size."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from app.errors import AssetFailed, ErrorItem
from app.render.model.request import Request
from app.render.picture import avif, jpeg, png
from app.render.picture.metadata import Source, exif_orientation

#: Largest number of decoded pixels. Phones with 50 or 64 megapixels make up to 64.2 million.
MAX_PIXELS: Final = 66_000_000
#: Largest number of pixels of a sequential JPEG, which is decoded at a reduced size.
MAX_SEQUENTIAL_PIXELS: Final = 120_000_000
#: Longest side in pixels, which is that of a JPEG. The memory of scaling grows with it.
MAX_SIDE: Final = 65_535
#: Smallest ratio of a reduced picture to the size that is needed.
_GAP: Final = 2
#: Modes whose pixels can be averaged directly.
_REDUCIBLE: Final = ("RGB", "RGBA", "L", "LA", "CMYK")
#: Largest 8-bit value.
_BYTE: Final = 255
#: Transposition to upright, by EXIF orientation (EXIF 2.32, 4.6.5.A).
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: Orientations that swap width and height.
_SIDEWAYS: Final = range(5, 9)


class PictureFailed(AssetFailed):
    """A picture cannot be decoded.

    Attributes:
        asset_id: Id of the asset.
    """

    def __init__(self, detail: str, *, asset_id: str, pointer: str = "") -> None:
        super().__init__(detail, errors=[ErrorItem(pointer, "picture-unusable", detail)])
        self.asset_id = asset_id


@contextmanager
def pointing_into(request: Request) -> Iterator[None]:
    """Give errors about pictures the JSON pointers of their assets in the payload.

    Raises:
        PictureFailed: With the pointer.
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
    """Return the first frame of a picture: upright, in sRGB, of mode ``RGB`` or ``RGBA``.

    Args:
        path: The file.
        asset_id: Id of the asset, for errors.
        max_pixels: A picture with more pixels is refused before it is decoded.
        needed: Width and height to which the caller will scale the picture. A larger JPEG is
            decoded at a half, a quarter or an eighth of its size, and may have up to
            ``MAX_SEQUENTIAL_PIXELS`` if it is not progressive.

    Raises:
        PictureFailed: The file is not a picture of an allowed format, is broken or truncated, or
            is too large.
    """
    name = f"asset {asset_id!r}"
    try:
        data = path.read_bytes()
    except OSError:
        raise PictureFailed(f"{name} cannot be read", asset_id=asset_id) from None
    kind = _kind(data)
    try:
        with warnings.catch_warnings():
            # Pillow warns about sizes above its own limit, and about unused metadata.
            warnings.simplefilter("ignore")
            return _loaded(_READERS[kind](data), kind, max_pixels, needed)
    except _TooLarge as error:
        detail = (
            f"{name} has {error} pixels; at most {max_pixels} pixels and {MAX_SIDE} per side are"
            " allowed: send a smaller picture"
        )
    except MemoryError:
        detail = f"{name} needs more memory than a render may use; send a smaller picture"
    except Exception as error:  # noqa: BLE001 - there is no list of what decoders raise on broken files
        unknown = not kind or (kind == "AVIF" and isinstance(error, UnidentifiedImageError))
        is_not = "not a PNG, JPEG, WebP, GIF or AVIF picture"
        detail = f"{name} is {is_not if unknown else f'a broken {kind} picture'}"
    raise PictureFailed(detail, asset_id=asset_id)


class _TooLarge(Exception):
    """A picture exceeds a limit. The message is its size."""


def _kind(data: bytes) -> str:
    """Return Pillow's name of an allowed format; "" for any other."""
    if data.startswith(png.SIGNATURE):
        return "PNG"
    if data.startswith(jpeg.SIGNATURE):
        return "JPEG"
    if data.startswith(b"GIF8"):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    return "AVIF" if data[4:8] == avif.FILE_TYPE else ""


def _read_webp(data: bytes) -> Source:
    """Return a WebP. An animation gets the alpha flag, so that free canvas is transparent."""
    is_animation = data[12:16] == b"VP8X" and len(data) > 20 and data[20] & 0x02
    return Source(data[:20] + bytes([data[20] | 0x10]) + data[21:] if is_animation else data)


#: Readers of metadata, by Pillow's name of the format.
_READERS: Final[dict[str, Callable[[bytes], Source]]] = {
    "PNG": png.read_png,
    "JPEG": jpeg.read_jpeg,
    "WEBP": _read_webp,
    "GIF": Source,
    "AVIF": avif.read_avif,
    "": Source,
}


def _loaded(
    source: Source, kind: str, max_pixels: int, needed: tuple[int, int] | None
) -> Image.Image:
    """Return the whole canvas of the first frame, upright and in sRGB."""
    try:
        opened = Image.open(io.BytesIO(source.content), formats=(kind,))
    except Image.DecompressionBombError:
        raise _TooLarge(f"more than {MAX_SEQUENTIAL_PIXELS}") from None
    with opened as image:
        exif = image.info.get("exif", b"")
        turned = source.orientation if source.orientation > 1 else exif_orientation(exif)
        if needed is not None and turned in _SIDEWAYS:
            needed = needed[1], needed[0]
        _admit(image, source, max_pixels, needed)
        # The first frame of a GIF may cover only a part of the canvas.
        covered = image.tile[0].extents if kind == "GIF" else None
        image.load()
        # A copy of 50 megapixels takes 200 MB, so the picture is reduced first.
        whole = _on_canvas(image, source, covered)
        reduced = whole if needed is None else _reduced(whole, needed)
        shown = _to_srgb(reduced, source)
    return shown.transpose(_TURNS[turned]) if turned in _TURNS else shown


def _admit(
    image: Image.Image, source: Source, max_pixels: int, needed: tuple[int, int] | None
) -> None:
    """Set the size at which a JPEG is decoded, and refuse a picture that is too large.

    Raises:
        _TooLarge: The picture exceeds a limit.
    """
    width, height = source.canvas or image.size
    pixels = width * height
    if needed is not None and image.format == "JPEG":
        image.draft(None, needed)
        small_enough = pixels <= MAX_SEQUENTIAL_PIXELS and jpeg.is_sequential(source.content)
        pixels = image.width * image.height if small_enough else pixels
    if pixels > max_pixels or max(width, height) > MAX_SIDE:
        raise _TooLarge(f"{width}x{height}")


def _on_canvas(
    image: Image.Image, source: Source, covered: tuple[int, int, int, int] | None
) -> Image.Image:
    """Return the whole canvas of an animation. What the first frame leaves free is transparent."""
    canvas, corner, frame = source.canvas, source.corner, image
    if covered and covered != (0, 0, *image.size):
        canvas, corner, frame = image.size, covered[:2], image.crop(covered)
    if canvas is None:
        return image
    whole = Image.new("RGBA", canvas)
    whole.paste(frame.convert("RGBA"), corner)
    whole.info = {}
    return whole


def _reduced(image: Image.Image, needed: tuple[int, int]) -> Image.Image:
    """Return a picture reduced by a whole factor, if it is much larger than needed.

    At least twice the needed size remains, as with ``reducing_gap=2`` of Pillow's ``thumbnail``. So
    the final scaling sets the quality.
    """
    factor = min(have // (_GAP * want) for have, want in zip(image.size, needed, strict=True))
    by_key = "transparency" in image.info  # an average could equal the transparent colour
    if factor < _GAP or by_key or image.mode not in _REDUCIBLE:
        return image
    return image.reduce(factor)


def _to_srgb(image: Image.Image, source: Source) -> Image.Image:
    profile = source.profile or image.info.get("icc_profile")
    alpha = _alpha(image)
    if image.mode.startswith("I;16") or image.mode == "I":
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, _BYTE).astype(np.uint8))
    colours = _profiled(image, profile) if isinstance(profile, bytes) else None
    if colours is None:
        colours = image.convert("RGB")
        colours = (source.space and source.space.to_srgb(colours)) or colours
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
            # Pillow reduces a 16-bit picture to 8 bits, but not its transparent colour.
            image.info["transparency"] = tuple(value >> 8 for value in key)
        if "A" not in image.getbands():
            image = image.convert("RGBA")
        alpha = image.getchannel("A")
    return None if alpha.getextrema() == (_BYTE, _BYTE) else alpha


def _profiled(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Return the picture converted to sRGB by its profile; None if the profile does not fit."""
    plain = {"RGBA": "RGB", "P": "RGB", "PA": "RGB", "LA": "L"}.get(image.mode, image.mode)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        flat = image.convert(plain)
        return ImageCms.profileToProfile(flat, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        # Browsers ignore a profile that is broken or of another kind.
        return None
