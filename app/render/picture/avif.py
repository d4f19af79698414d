"""AVIF: the colour space in its boxes (ISO/IEC 14496-12, ISO/IEC 23000-22)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from app.render.picture.colour import ColourSpace
from app.render.picture.metadata import Source

#: Type of the first box of a file, at bytes 4 to 7.
FILE_TYPE: Final = b"ftyp"
#: Start of a colour box that holds code points.
_NCLX: Final = b"colrnclx"
#: Transfer characteristics of television. Browsers treat them as sRGB in an AVIF.
_TELEVISION: Final = (1, 6, 14, 15)
#: Types of the boxes that describe a picture or a sequence.
_DESCRIBING: Final = (b"meta", b"moov")


def read_avif(data: bytes) -> Source:
    """Return an AVIF without its EXIF.

    EXIF does not orient an AVIF; its boxes do (MIAF, 7.3.6).
    """
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
    """Yield the start and end of each box of ``_DESCRIBING``."""
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1 and at + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, at + 8)
        end = at + length if length >= 8 else len(data)
        if name in _DESCRIBING:
            yield at, min(end, len(data))
        at = end
