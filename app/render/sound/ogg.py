"""Ogg pages (RFC 3533): the links of a chained file, and whether its last page is whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: First bytes of a page.
CAPTURE: Final = b"OggS"
#: Bytes of a page before its segment table.
_HEADER: Final = 27
#: Flag of a page that begins a logical stream.
_BEGINS: Final = 2
#: Bytes that are searched at once for the next page.
_SEARCHED: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class OggFile:
    """Structure of an Ogg file.

    Attributes:
        links: First byte and length of each link of the chain. A link is an Ogg file of its own.
        cut: Whether the file ends within a page.
    """

    links: tuple[tuple[int, int], ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class _Page:
    start: int
    end: int
    begins: bool


def read_ogg(path: Path) -> OggFile:
    """Return the structure of the Ogg file at ``path``."""
    size = path.stat().st_size
    links: list[tuple[int, int]] = []
    end, among_first = 0, False
    with path.open("rb") as file:
        for page in _pages(file, size):
            # The streams of a link all begin before the first page with data.
            if not links or (page.begins and not among_first):
                links.append((page.start, 0))
            among_first = page.begins
            end = page.end
            links[-1] = (links[-1][0], min(end, size) - links[-1][0])
    return OggFile(tuple(links), cut=end > size)


def _pages(file: io.BufferedReader, size: int) -> Iterator[_Page]:
    """Yield the pages of ``file``, the last one even if it is cut; skip what lies between them."""
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(_HEADER).ljust(_HEADER, b"\xff")
        if header[:4] != CAPTURE:
            found = _next_capture(file, at)
            if found < 0:
                return
            at = found
            continue
        lacing = file.read(header[26])
        end = at + _HEADER + header[26] + sum(lacing)
        yield _Page(at, end, begins=bool(header[5] & _BEGINS))
        at = end


def _next_capture(file: io.BufferedReader, at: int) -> int:
    """Return where the next page after ``at`` may begin, -1 for nowhere."""
    at += 1
    while True:
        file.seek(at)
        part = file.read(_SEARCHED)
        found = part.find(CAPTURE)
        if found >= 0:
            return at + found
        if len(part) < _SEARCHED:
            return -1
        at += _SEARCHED - len(CAPTURE) + 1
