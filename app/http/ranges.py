"""Byte ranges (RFC 9110, chapter 14), as pure functions.

Falcon's own static route ignores ``If-Range`` and answers 400 to several ranges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import falcon

from app.errors import RangeNotSatisfiable

_ONE_RANGE: Final = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from ``start`` to ``end`` (excluded) of a file of ``size``."""

    start: int
    end: int
    size: int

    @property
    def content_range(self) -> str:
        """The value of ``Content-Range``."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def span_of(header: str | None, size: int) -> Span | None:
    """Read a ``Range`` header.

    Returns:
        The span, or None if the whole file must be sent: without a header,
        with another unit, a malformed range or several (a server may do so).

    Raises:
        RangeNotSatisfiable: The range lies outside the file.
    """
    match = _ONE_RANGE.match(header or "")
    if not match or not (match[1] or match[2]):
        return None
    if match[1]:
        start = int(match[1])
        end = min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None  # malformed, so it is ignored
    else:
        start, end = max(0, size - int(match[2])), size
    if start >= end:
        raise RangeNotSatisfiable(f"The file has {size} bytes.")
    return Span(start, end, size)


def still_the_same(if_range: str | None, tag: falcon.ETag) -> bool:
    """Whether ``If-Range`` allows a part: absent, or the strong ETag of the file.

    A date never does: files have no ``Last-Modified``.
    """
    return if_range is None or if_range.strip() == tag.dumps()
