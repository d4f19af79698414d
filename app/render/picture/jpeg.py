"""JPEG: keeps the segments of the picture, and reads metadata (ITU-T T.81, annex B)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from app.render.picture.metadata import Source, exif_orientation

#: First bytes of a JPEG.
SIGNATURE: Final = b"\xff\xd8\xff"
#: Markers of scans, comments and application segments.
_SCAN, _COMMENT, _APPLICATION = 0xDA, 0xFE, range(0xE0, 0xF0)
#: Application segments of JFIF and Adobe, which say how colours are stored.
_NEEDED: Final = (0xE0, 0xEE)
#: Markers without a segment: fill bytes, TEM, RST, SOI.
_BARE: Final = (0xFF, 0x01, *range(0xD0, 0xD9))
#: Markers of sequential frames: baseline and extended.
_SEQUENTIAL: Final = (0xC0, 0xC1)
#: Markers of all frames.
_FRAMES: Final = (
    0xC0,
    0xC1,
    0xC2,
    0xC3,
    *range(0xC5, 0xC8),
    *range(0xC9, 0xCC),
    *range(0xCD, 0xD0),
)


def read_jpeg(data: bytes) -> Source:
    """Return a JPEG with only the segments that decoding needs. The others may be broken."""
    orientation = 1
    profile: list[tuple[int, bytes]] = []
    parts: list[memoryview] = [memoryview(data)[:2]]
    for marker, segment in _segments(data):
        content = bytes(segment[4:]) if marker in _APPLICATION else b""
        if marker not in (*_APPLICATION, _COMMENT) or marker in _NEEDED:
            parts.append(segment)
        elif content.startswith(b"Exif\0\0") and orientation == 1:
            orientation = exif_orientation(content)
        elif content.startswith(b"ICC_PROFILE\0") and len(content) > 14:
            profile.append((content[12], content[14:]))
    whole = b"".join(piece for _, piece in sorted(profile, key=lambda numbered: numbered[0]))
    return Source(b"".join(parts), orientation=orientation, profile=whole or None)


def is_sequential(data: bytes) -> bool:
    """Return whether a JPEG is sequential, so that its decoder need not hold all coefficients."""
    frames = [marker for marker, _ in _segments(data) if marker in _FRAMES]
    return bool(frames) and frames[0] in _SEQUENTIAL


def _segments(data: bytes) -> Iterator[tuple[int, memoryview]]:
    """Yield marker and bytes of each segment.

    The last one holds everything from the first scan, or from the first byte that does not begin a
    segment. The decoder judges that.
    """
    view = memoryview(data)
    at = 2
    while at + 4 <= len(view) and view[at] == 0xFF and view[at + 1] != _SCAN:
        if view[at + 1] in _BARE:
            at += 1 if view[at + 1] == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", view, at + 2)
        yield view[at + 1], view[at : at + 2 + length]
        at += 2 + max(length, 2)
    yield _SCAN, view[at:]
