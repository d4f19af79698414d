"""What a render leaves behind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file of a preview.

    Attributes:
        kind: video, poster, contact-sheet, thumbnail, captions.srt, captions.vtt,
            chapters or manifest.
        name: Path below the output directory, with ``/``.
        content_type: Media type.
        bytes: Size.
        sha256: Of its content, in hexadecimal.
    """

    kind: str
    name: str
    content_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RenderResult:
    """A finished render: its files, what to tell the author, and the film's length.

    ``cache_hits`` and ``cache_misses`` count the steps that were and were not in the cache;
    without one both are 0.
    """

    files: tuple[RenderedFile, ...]
    warnings: tuple[str, ...]
    seconds: float
    frames: int
    cache_hits: int = 0
    cache_misses: int = 0
