"""The string formats that the schema names, as jsonschema is to check them."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import jsonschema

#: Checkers by format name, for the ``format_checker`` of a jsonschema validator.
FORMATS: Final = jsonschema.FormatChecker(formats=())

_DATE_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII | re.IGNORECASE,
)


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    """Return whether a string is a ``date-time`` of RFC 3339, section 5.6.

    Leap seconds and the year 0000, which Python cannot represent, are not accepted.

    Args:
        value: Any JSON value; ``format`` restricts strings only.

    Raises:
        ValueError: The string has the right form but names a day that does not exist.
    """
    if not isinstance(value, str):
        return True
    found = _DATE_TIME.fullmatch(value)
    if found:
        date.fromisoformat(found[1])
    return bool(found)
