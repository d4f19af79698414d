"""AVIF: the colour space that its boxes name (ISO/IEC 14496-12, 23000-22)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from app.render.picture.colour import ColourSpace
from app.render.picture.metadata import Source

#: A box is named at its fifth byte; the first box of the file is this.
FILE_TYPE: Final = b"ftyp"
#: Beginning of a colour box that names code points.
_NCLX: Final = b"colrnclx"
#: Transfer characteristics of television. In AVIF, browsers take them for that of sRGB.
_TELEVISION: Final = (1, 6, 14, 15)
#: Boxes that describe a picture, or a sequence of them.
_DESCRIBING: Final = (b"meta", b"moov")


def read_avif(data: bytes) -> Source:
    """Return an AVIF without its EXIF, which does not turn it: its own boxes do (MIAF, 7.3.6)."""
    space = None
    content = bytearray(data)
    for start, end in _boxes(data):
        box = data[start:end]
        at = box.find(_NCLX) + len(_NCLX)
        if space is None and at >= len(_NCLX) and len(box) >= at + 4:
            primaries, transfer = struct.unpack_from(">2H", box, at)
            space = ColourSpace.of_code_points(
                primaries, 2 if transfer in _TELEVISION else transfer
            )
        content[start:end] = box.replace(b"Exif", b"skip")
    return Source(bytes(content), space=space)


def _boxes(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the describing boxes of the file begin and end."""
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1 and at + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, at + 8)
        end = at + length if length >= 8 else len(data)
        if name in _DESCRIBING:
            yield at, min(end, len(data))
        at = end
