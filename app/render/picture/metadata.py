"""What a picture file says besides its pixels, read without trusting any of it.

Pillow takes a fault in metadata for a fault of the picture. So what is needed is read here, and
what can be left out is left out before Pillow opens the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from app.render.picture.colour import ColourSpace

#: EXIF's tag of the orientation, and the types of numbers that TIFF calls SHORT.
_ORIENTATION, _SHORT = 0x0112, 3
#: Orientations that are defined.
_TURNED: Final = range(1, 9)


@dataclass(frozen=True, slots=True)
class Source:
    """A picture file, ready to be decoded.

    Attributes:
        content: The file without metadata that could do harm.
        orientation: By EXIF, 1 (upright) to 8.
        profile: ICC profile.
        space: Colour space that numbers name; counts where there is no profile.
        canvas: Width and height of an animation, None where the picture is all of it.
        corner: Where on the canvas the picture lies.
    """

    content: bytes
    orientation: int = 1
    profile: bytes | None = None
    space: ColourSpace | None = None
    canvas: tuple[int, int] | None = None
    corner: tuple[int, int] = (0, 0)


def exif_orientation(exif: bytes) -> int:
    """Return the orientation that ``exif`` states, 1 where it states none.

    As browsers do, only a single SHORT in the first directory counts.
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
        if (tag, kind, count) == (_ORIENTATION, _SHORT, 1) and value in _TURNED:
            return int(value)
    return 1
