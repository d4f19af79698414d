"""Whether a WAV or MP3 file is shorter than its own structure says.

FFmpeg plays what there is of a cut file without a word; a narration that stops in the middle of
a sentence must be an error instead.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

#: Programs that write a WAV file to a pipe do not know its length. They state none, or about the
#: most that 31 or 32 bits hold, less the headers. No asset is so long.
_PLACEHOLDER: Final = 0x7FF0_0000
#: Sample data of an RF64 file is longer than 32 bits can say: see its chunk ``ds64``.
_IN_DS64: Final = 0xFFFF_FFFF
#: An MP3's first frame lies this near its start or its ID3 tag's end.
_FRAME_REACH: Final = 4096
#: A few bytes of padding or tag do not make a file truncated.
_SLACK_BYTES: Final = 512


def is_truncated(file: BinaryIO, container: str) -> bool:
    """Return whether a file ends before its WAV chunks or its Xing header say.

    Args:
        file: It is read from its start.
        container: FFmpeg's name of its container. Of others than ``wav`` and ``mp3`` the answer
            is no.
    """
    size = file.seek(0, 2)
    file.seek(0)
    if container == "wav":
        return any(end - size > _SLACK_BYTES for end in _wav_ends(file))
    if container == "mp3":
        tag = _id3_bytes(file.read(10))
        file.seek(tag)
        return _xing_bytes(file.read(_FRAME_REACH)) - (size - tag) > _SLACK_BYTES
    return False


def _wav_ends(file: BinaryIO) -> Iterator[int]:
    """Yield where the sample data ends by its chunk (RIFF, or RF64 by EBU Tech 3306).

    The length of the whole file, which the first chunk states, tells nothing that matters.
    """
    order = ">" if file.read(12)[:4] == b"RIFX" else "<"
    long = 0
    while len(header := file.read(8)) == 8:
        name, length = struct.unpack(f"{order}4sI", header)
        at = file.tell()
        if name == b"ds64":
            long = int.from_bytes(file.read(16)[8:], "little")
        if name == b"data":
            if length == _IN_DS64 and 0 < long < 1 << 62:
                yield at + long
            elif length < _PLACEHOLDER:
                yield at + length
            return
        file.seek(at + length + length % 2)


def _id3_bytes(head: bytes) -> int:
    """Bytes of the ID3v2 tag that ``head`` opens (id3.org: four times seven bits), or 0."""
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    length = 0
    for byte in head[6:10]:
        length = length << 7 | byte & 0x7F
    return 10 + length


def _xing_bytes(start: bytes) -> int:
    """Bytes of audio that the Xing or Info header of an MP3's first frame states, or 0.

    The header stands where the frame's first samples would, behind its side information.
    """
    for at in range(len(start) - 4):
        # Layer III with a bit rate and a sample rate that exist (ISO 11172-3, 2.4.1.3).
        sync, rates, mode = start[at], start[at + 2], start[at + 3] >> 6
        version, layer = start[at + 1] >> 3 & 3, start[at + 1] >> 1 & 3
        if sync != 0xFF or start[at + 1] < 0xE0 or version == 1 or layer != 1:
            continue
        if rates >> 4 in (0, 15) or rates >> 2 & 3 == 3:
            continue
        side = {True: (32, 17), False: (17, 9)}[version == 3][mode == 3]
        header = start[at + 4 + side :][:16]
        if len(header) < 16 or header[:4] not in (b"Xing", b"Info"):
            return 0
        flags, first, second = struct.unpack(">III", header[4:])
        if not flags & 2:
            return 0
        return int(second if flags & 1 else first)
    return 0
