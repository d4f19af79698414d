"""Metadata of pictures, which is untrusted.

Pillow refuses a picture whose metadata is broken. So the reader of each format extracts what is
needed, and removes what is not before Pillow opens the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from app.render.picture.colour import ColourSpace

#: EXIF's tag of the orientation, and TIFF's type SHORT.
_ORIENTATION, _SHORT = 0x0112, 3
#: Valid orientations.
_ORIENTATIONS: Final = range(1, 9)


@dataclass(frozen=True, slots=True)
class Source:
    """A picture file, ready to be decoded.

    Attributes:
        content: The file without the metadata that Pillow may refuse.
        orientation: EXIF orientation, 1 (upright) to 8.
        profile: ICC profile.
        space: Colour space that the file states as numbers. Used if there is no profile.
        canvas: Width and height of an animation's canvas; None if the picture covers it.
        corner: Left and top of the picture on the canvas.
    """

    content: bytes
    orientation: int = 1
    profile: bytes | None = None
    space: ColourSpace | None = None
    canvas: tuple[int, int] | None = None
    corner: tuple[int, int] = (0, 0)


def exif_orientation(exif: bytes) -> int:
    """Return the orientation in ``exif``; 1 if there is none.

    Only a single SHORT in the first directory counts, as in browsers.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    directory = tiff[start:]
    (entries,) = struct.unpack(f"{order}H", directory[:2].rjust(2, b"\0"))
    for at in range(2, min(2 + 12 * entries, len(directory) - 11), 12):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", directory, at)
        if (tag, kind, count) == (_ORIENTATION, _SHORT, 1) and value in _ORIENTATIONS:
            return int(value)
    return 1
