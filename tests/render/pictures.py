"""Unusual pictures, written by hand if no library writes them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.render.picture.decoding import load_picture

Pixels = Sequence[tuple[int, ...]]
RED, BLUE = (200, 30, 40), (0, 0, 255)
ORANGE, GREEN, GREY = (200, 60, 30), (40, 180, 60), (128, 128, 128)
#: The seven passes of Adam7: first column, first row, and step between columns and rows.
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    raw: bytes,
    *,
    size: tuple[int, int] = (4, 2),
    depth: int = 8,
    colour: int = 0,
    extra: bytes = b"",
    interlaced: bool = False,
) -> bytes:
    """Write a PNG of raw lines, which begin with a filter byte. ``colour`` is PNG's colour type."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced)
    body = chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + body


def line(*pixels: tuple[int, ...], depth: int = 8) -> bytes:
    values = [value for pixel in pixels for value in pixel]
    return b"\0" + struct.pack(f">{len(values)}{'H' if depth == 16 else 'B'}", *values)


def adam7(image: Image.Image) -> bytes:
    """Write an RGB picture as an interlaced PNG."""
    raw = b""
    for left, top, right, down in _ADAM7:
        for y in range(top, image.height, down):
            columns = range(left, image.width, right)
            if columns:
                raw += b"\0" + b"".join(bytes(image.getpixel((x, y))) for x in columns)  # type: ignore[arg-type] # of an RGB picture
    return png(raw, size=image.size, colour=2, interlaced=True)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(mode: str = "RGB", colour: Any = RED, size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new(mode, size, colour)


def animated(kind: str, **options: Any) -> bytes:
    """Write an animation of a red and a blue frame."""
    return saved(plain(), kind, save_all=True, append_images=[plain(colour=BLUE)], **options)


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """Insert metadata segments (marker, content) before all other segments of a JPEG."""
    extra = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments
    )
    return jpeg[:2] + extra + jpeg[2:]


def grey_profile() -> bytes:
    """Return an ICC profile of linear grey (ICC.1:2010). Mid grey is much lighter in sRGB."""
    white = struct.pack(">4s4xiii", b"XYZ ", 0xF6D6, 0x10000, 0xD32D)
    curve = struct.pack(">4s4xI", b"curv", 0)
    start = 128 + 4 + 2 * 12
    table = struct.pack(">I", 2)
    table += struct.pack(">4sII", b"wtpt", start, len(white))
    table += struct.pack(">4sII", b"kTRC", start + len(white), len(curve))
    body = table + white + curve
    header = struct.pack(">I4xI4s4s4s", 128 + len(body), 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    header = header.ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + struct.pack(">iii", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + body


def load(tmp_path: Path, content: bytes, **options: Any) -> Image.Image:
    path = tmp_path / "picture"
    path.write_bytes(content)
    return load_picture(path, asset_id="board", **options)


def pixels(image: Image.Image) -> Pixels:
    return [tuple(map(int, value)) for value in np.asarray(image).reshape(-1, len(image.mode))]


def near_pixels(found: Pixels, wanted: Pixels, by: int = 1) -> bool:
    return np.shape(found) == np.shape(wanted) and np.abs(np.subtract(found, wanted)).max() <= by


def named(*extra: bytes) -> bytes:
    """Write a PNG of an orange, a green and a grey pixel, with extra chunks."""
    return png(line(ORANGE, GREEN, GREY), size=(3, 1), colour=2, extra=b"".join(extra))


def gama(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))
