"""Whether a sound file is shorter than its own structure says.

FFmpeg plays what there is of a cut WAV, MP3 or Ogg file without a word; a
narration that stops in the middle of a sentence must be an error instead.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

#: Streamed WAV files state a size of 0 or about 4 GiB: unknown.
_UNKNOWN_RIFF_SIZE: Final = 0xFFFF_FF00
#: An MP3's first frame, and with it the Xing header, lies this near its start or its ID3 tag's end.
_XING_REACH: Final = 4096
#: Largest Ogg page (RFC 3533: 27 + 255 + 255 * 255).
_OGG_PAGE: Final = 65_307
#: A few bytes of padding or tag do not make a file truncated.
_SLACK_BYTES: Final = 512


def is_truncated(path: Path) -> bool:
    """Return whether ``path`` ends before its RIFF, Xing or Ogg structure does."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(10)
        if head[:4] == b"RIFF":
            stated = int.from_bytes(head[4:8], "little")
            return 0 < stated < _UNKNOWN_RIFF_SIZE and stated + 8 - size > _SLACK_BYTES
        if head[:4] == b"OggS":
            file.seek(max(size - 2 * _OGG_PAGE, 0))
            return _cut_ogg_page(file.read())
        tag = _id3_bytes(head)
        file.seek(tag)
        stated = _xing_bytes(file.read(_XING_REACH))
        return stated - (size - tag) > _SLACK_BYTES


def _id3_bytes(head: bytes) -> int:
    """Bytes of the ID3v2 tag that ``head`` opens (id3.org: four times seven bits), or 0."""
    if len(head) < 10 or head[:3] != b"ID3":  # noqa: PLR2004 - the tag's header is 10 bytes
        return 0
    length = 0
    for byte in head[6:10]:
        length = length << 7 | byte & 0x7F
    return 10 + length


def _xing_bytes(start: bytes) -> int:
    """Bytes of audio that an MP3's Xing or Info header states, or 0."""
    at = max(start.find(b"Xing"), start.find(b"Info"))
    if at < 0 or len(start) < at + 16:
        return 0
    flags, first, second = struct.unpack(">III", start[at + 4 : at + 16])
    if not flags & 2:
        return 0
    return int(second if flags & 1 else first)


def _cut_ogg_page(end: bytes) -> bool:
    at = end.rfind(b"OggS")
    if at < 0 or len(end) < at + 27:
        return True
    segments = end[at + 26]
    lacing = end[at + 27 : at + 27 + segments]
    return len(lacing) < segments or len(end) < at + 27 + segments + sum(lacing)
