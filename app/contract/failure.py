"""One error for everything that is wrong with a payload."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from app.errors import ErrorItem, ValidationFailed

#: Errors that one answer lists.
MAX_ERRORS = 100
#: Errors that are counted before counting stops: a hostile body has hundreds of thousands.
MAX_COUNTED = 1000


def failure(items: Iterable[ErrorItem]) -> ValidationFailed | None:
    """Return the error that lists ``items``, or None when there are none."""
    found = list(islice(items, MAX_COUNTED))
    if not found:
        return None
    if len(found) == 1:
        where = f" (at {found[0].pointer})" if found[0].pointer else ""
        return ValidationFailed(found[0].detail + where, errors=found)
    least = "at least " if len(found) == MAX_COUNTED else ""
    detail = f"The payload breaks the contract in {least}{len(found)} places."
    rest = len(found) - MAX_ERRORS
    if rest > 0:
        detail += f" The first {MAX_ERRORS} are listed, {least}{rest} are not."
    return ValidationFailed(detail, errors=found[:MAX_ERRORS])
