"""Path and query parameters, checked; what is wrong is a 422 with pointers to them."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final, TypeVar

from app.contract import load_contract
from app.errors import ErrorItem, JobNotFound, ValidationFailed

T = TypeVar("T")

#: How codes of errors are written (:mod:`app.errors`), as a JSON Schema has it.
CODE_PATTERN: Final = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$(?!\n)"
#: Characters of a bad value that an error shows.
MAX_SHOWN: Final = 64
#: The end of the year 9999, the last that RFC 3339 can write.
_END_OF_TIME: Final = 253_402_300_799.0

# Creation times in microseconds have 16 digits now and 17 until the year 5138.
_POSITION = re.compile(rb"[0-9]{1,17}")


@functools.cache
def _pattern(definition: str) -> re.Pattern[str]:
    """Return how the contract has something written."""
    return re.compile(load_contract().schema["$defs"][definition]["pattern"])


def known_job_id(job_id: str) -> str:
    """Return ``job_id`` if the contract allows it.

    Raises:
        JobNotFound: No job can have that id; it reaches neither Redis nor a store.
    """
    if not _pattern("id").match(job_id):
        raise JobNotFound.of(job_id if len(job_id) <= MAX_SHOWN else job_id[:MAX_SHOWN] + "…")
    return job_id


def identifier(value: str) -> str:
    """Parse an identifier; raises ValueError with the remedy."""
    if not _pattern("id").match(value):
        raise ValueError("use 1 to 128 letters, digits, dots, dashes, underscores or colons")
    return value


def error_code(value: str) -> str:
    """Parse the code of an error; raises ValueError with the remedy."""
    if not re.match(CODE_PATTERN, value):
        raise ValueError("use the code of an error, such as render-failed")
    return value


def moment(value: str) -> float:
    """Parse a time to seconds since 1970; raises ValueError with the remedy."""
    try:
        if _pattern("timestamp").match(value):
            seconds = datetime.fromisoformat(value.upper()).timestamp()
            if 0 <= seconds < _END_OF_TIME:
                return seconds
    except ValueError:
        pass  # a day or an hour that does not exist
    raise ValueError("use a time since 1970, such as 2026-01-31T12:00:00Z; in a URL, + is %2B")


def moment_after(start: float | None) -> Callable[[str], float]:
    """Return a parser of times later than ``start``, if that is given."""

    def parse(value: str) -> float:
        seconds = moment(value)
        if start is not None and seconds <= start:
            raise ValueError("use a later time than the one from which the range begins")
        return seconds

    return parse


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
    """Reads parameters and collects what is wrong with all of them.

    Args:
        get: Gives a parameter by its name; an empty value counts as absent.
        at: JSON pointer of what holds the parameters.
    """

    def __init__(self, get: Callable[[str], str | None], *, at: str = "") -> None:
        self._get = get
        self._at = at
        self._errors: list[ErrorItem] = []

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """Return a parameter, ``default`` when it is absent or bad."""
        value = self._get(name)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError as error:
            shown = value if len(value) <= MAX_SHOWN else value[:MAX_SHOWN] + "…"
            self._errors.append(
                ErrorItem(f"{self._at}/{name}", "bad-parameter", f"{shown!r}: {error}.")
            )
            return default

    def refuse(self, name: str, detail: str) -> None:
        """Note what is wrong with a parameter in relation to others."""
        self._errors.append(ErrorItem(f"{self._at}/{name}", "bad-parameter", f"{detail}."))

    def check(self) -> None:
        """Raise what :meth:`read` and :meth:`refuse` found.

        Raises:
            ValidationFailed: ``errors`` has an item for each bad parameter.
        """
        if self._errors:
            raise ValidationFailed("Some parameters are wrong.", errors=self._errors)
