"""Detects the type of a file by its first bytes, without decoding it."""

from __future__ import annotations

from typing import Final

#: Number of bytes that :func:`media_types` needs.
SNIFFED_BYTES: Final = 16

_MP4: Final = (
    "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac", "audio/3gpp", "video/mp4", "video/3gpp",
    "video/quicktime",
)  # fmt: skip
_MPEG: Final = (
    "audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/mpeg3", "audio/aac",
    "audio/aacp", "audio/x-aac",
)  # fmt: skip
_WAV: Final = ("audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave")
#: Signature, its offset, the bytes required at offset 8, and the media types.
_SIGNATURES: Final[tuple[tuple[bytes, int, bytes, tuple[str, ...]], ...]] = (
    (b"\x89PNG\r\n\x1a\n", 0, b"", ("image/png", "image/apng", "image/x-png")),
    (b"\xff\xd8\xff", 0, b"", ("image/jpeg", "image/jpg", "image/pjpeg")),
    (b"GIF8", 0, b"", ("image/gif",)),
    (b"RIFF", 0, b"WEBP", ("image/webp",)),
    (b"ftyp", 4, b"avif", ("image/avif",)),
    (b"ftyp", 4, b"avis", ("image/avif", "image/avif-sequence")),
    (b"ftyp", 4, b"mif1", ("image/avif", "image/heif", "image/heic")),
    (b"RIFF", 0, b"WAVE", _WAV),
    (b"RF64", 0, b"WAVE", _WAV),
    (b"BW64", 0, b"WAVE", _WAV),
    (b"OggS", 0, b"", ("audio/ogg", "application/ogg", "audio/opus", "audio/vorbis", "video/ogg")),
    (b"fLaC", 0, b"", ("audio/flac", "audio/x-flac")),
    (b"ID3", 0, b"", (*_MPEG, "audio/flac")),
    (b"ftyp", 4, b"", _MP4),
    (b"\x1aE\xdf\xa3", 0, b"", (
        "audio/webm", "video/webm", "audio/x-matroska", "video/x-matroska", "audio/matroska",
    )),
)  # fmt: skip


def media_types(head: bytes) -> frozenset[str]:
    """Return all names of a file's media type, none if it is unknown.

    Args:
        head: The first ``SNIFFED_BYTES`` of the file.
    """
    for mark, at, brand, names in _SIGNATURES:
        if head.startswith(mark, at) and head.startswith(brand, 8):
            return frozenset(names)
    # MPEG audio without a tag begins with a frame, whose first eleven bits are set.
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0  # noqa: PLR2004
    return frozenset(_MPEG if is_frame else ())
