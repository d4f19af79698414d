"""Path and query parameters, checked; what is wrong is a 422 with pointers into the query."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Collection
from typing import TypeVar

import falcon

from app.contract import load_contract
from app.errors import ErrorItem, JobNotFound, ValidationFailed

T = TypeVar("T")

# Creation times in microseconds have 16 digits now and 17 until the year 5138.
_POSITION = re.compile(rb"[0-9]{1,17}")


@functools.cache
def _identifier() -> re.Pattern[str]:
    return re.compile(load_contract().schema["$defs"]["id"]["pattern"])


def known_job_id(job_id: str) -> str:
    """Return ``job_id`` if the contract allows it.

    Raises:
        JobNotFound: No job can have that id; it reaches neither Redis nor a store.
    """
    if not _identifier().match(job_id):
        raise JobNotFound("There is no job of that id.")
    return job_id


def identifier(value: str) -> str:
    """Parse an identifier; raises ValueError with the remedy."""
    if not _identifier().match(value):
        raise ValueError("use 1 to 128 letters, digits, dots, dashes, underscores or colons")
    return value


def one_of(allowed: Collection[str]) -> Callable[[str], str]:
    """Return a parser that accepts only ``allowed``."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError("use one of " + ", ".join(allowed))
        return value

    return parse


def between(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``low`` to ``high``."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"use a whole number from {low} to {high}")
        return int(value)

    return parse


def cursor_of(before_us: int) -> str:
    """Encode a position in a listing; clients hand it back as it is."""
    return base64.urlsafe_b64encode(str(before_us).encode()).decode().rstrip("=")


def cursor(value: str) -> int:
    """Decode :func:`cursor_of`; raises ValueError with the remedy."""
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        text = b""
    if not _POSITION.fullmatch(text):
        raise ValueError("use the nextCursor of the page before")
    return int(text)


class Query:
    """Reads query parameters and collects what is wrong with all of them.

    Args:
        req: The request. An empty value counts as absent, of several the last counts.
    """

    def __init__(self, req: falcon.Request) -> None:
        self._req = req
        self._errors: list[ErrorItem] = []

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """Return a parameter, ``default`` when it is absent or bad."""
        value = self._req.get_param(name)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError as error:
            shown = value if len(value) <= 64 else value[:64] + "…"  # noqa: PLR2004 - a line's worth
            self._errors.append(ErrorItem(f"/{name}", "bad-parameter", f"{shown!r}: {error}."))
            return default

    def check(self) -> None:
        """Raise what :meth:`read` found.

        Raises:
            ValidationFailed: ``errors`` has an item for each bad parameter.
        """
        if self._errors:
            raise ValidationFailed("Some query parameters are wrong.", errors=self._errors)
