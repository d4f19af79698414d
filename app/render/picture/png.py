"""PNG: keeps the chunks of the picture, and reads metadata (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from app.render.picture.colour import ColourSpace
from app.render.picture.metadata import Source, exif_orientation

#: First bytes of a PNG.
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
#: Largest colour profile that is decompressed, in bytes. Profiles of CMYK printers have 2 MB.
_PROFILE_BYTES: Final = 4 * 1024 * 1024
#: Colour type of palettes in IHDR, and the bytes in tRNS for the other colour types.
_PALETTE: Final = b"\3"
_KEY_BYTES: Final = {b"\0": 2, b"\2": 6}
#: Length in bytes of the whole IHDR chunk, and of the contents of cHRM, cICP and fcTL.
_IHDR, _CHRM, _CICP, _FCTL = 25, 32, 4, 26
#: Denominator of the fractions in gAMA and cHRM.
_UNIT: Final = 100_000
#: Relative difference below which a gamma counts as that of sRGB (libpng's threshold).
_SAME_GAMMA: Final = 0.05


#: The first whole chunk of each type: length, type, content and checksum.
Chunks = dict[bytes, memoryview]


def read_png(data: bytes) -> Source:
    """Return a PNG with only the chunks that decoding needs. The others may be broken.

    If the default picture of an animation is not part of it, the result is the first frame.
    """
    chunks: Chunks = {}
    pixels: list[memoryview] = []
    frame: list[bytes] = []
    frames, hidden = 0, False
    for name, chunk in _chunks(data):
        if name == b"IDAT":
            pixels.append(chunk)
        elif name == b"fdAT" and frames == 1:
            frame.append(_chunk(b"IDAT", bytes(chunk[12:-4])))
        elif name == b"fcTL":
            frames += 1
            hidden = hidden or (frames == 1 and bool(pixels))
        chunks.setdefault(name, chunk)
    head = chunks.get(b"IHDR", b"")
    control = _content(chunks, b"fcTL")
    canvas, corner = None, (0, 0)
    if hidden and frame and b"acTL" in chunks and (len(head), len(control)) == (_IHDR, _FCTL):
        width, height, x, y = struct.unpack_from(">4I", control, 4)
        canvas, corner = struct.unpack_from(">2I", head, 8), (x, y)
        head = _chunk(b"IHDR", struct.pack(">2I", width, height) + bytes(head[16:21]))
    profile, space = _colours(chunks)
    parts = [
        SIGNATURE,
        head,
        *_palette(chunks),
        *(frame if canvas else pixels),
        _chunk(b"IEND", b""),
    ]
    return Source(
        b"".join(parts),
        orientation=exif_orientation(_content(chunks, b"eXIf")),
        profile=profile,
        space=space,
        canvas=canvas,
        corner=corner,
    )


def _palette(chunks: Chunks) -> Iterator[bytes | memoryview]:
    """Yield the palette of a picture that has one, and a tRNS chunk of the right length."""
    colour = chunks[b"IHDR"][17:18] if b"IHDR" in chunks else b""
    palette, key = chunks.get(b"PLTE", b""), _content(chunks, b"tRNS")
    most = _KEY_BYTES.get(bytes(colour), 0)
    if colour == _PALETTE:
        most = (len(palette) - 12) // 3
        yield palette
    if key and (len(key) == most or (colour == _PALETTE and len(key) < most)):
        yield _chunk(b"tRNS", key)


def _content(chunks: Chunks, name: bytes) -> bytes:
    """Return the content of a chunk; empty if there is none."""
    return bytes(chunks[name][8:-4]) if name in chunks else b""


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield type and bytes of each chunk before IEND. The last one may be truncated."""
    view = memoryview(data)
    at = len(SIGNATURE)
    while at + 8 <= len(view):
        length, name = struct.unpack_from(">I4s", view, at)
        if name == b"IEND":
            return
        yield name, view[at : at + 12 + length]
        at += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def _colours(chunks: Chunks) -> tuple[bytes | None, ColourSpace | None]:
    """Return the profile or colour space. Precedence is cICP, iCCP, sRGB, gAMA."""
    points = _content(chunks, b"cICP")
    if len(points) == _CICP and points[2:] == b"\0\1":  # RGB, full range
        return None, ColourSpace.of_code_points(points[0], points[1])
    profile = _unpacked(_content(chunks, b"iCCP"))
    if profile or b"sRGB" in chunks:
        return profile, None
    gamma, corners = _content(chunks, b"gAMA"), _content(chunks, b"cHRM")
    power = int.from_bytes(gamma, "big") / _UNIT if len(gamma) == 4 else 0.0
    if power and len(corners) == _CHRM:
        values = struct.unpack(">8I", corners)
        white_x, white_y, *colours = (value / _UNIT for value in values)
        return None, ColourSpace((*colours, white_x, white_y), gamma=1 / power)
    if not power or abs(power * 2.2 - 1) < _SAME_GAMMA:
        return None, None
    return None, ColourSpace(gamma=1 / power)


def _unpacked(content: bytes) -> bytes | None:
    """Return the profile of an iCCP chunk; None if it is broken or too large."""
    _, found, packed = content.partition(b"\0")
    if not found or packed[:1] != b"\0":
        return None
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed[1:], _PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if unpacker.eof else None
