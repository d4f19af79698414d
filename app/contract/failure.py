"""One error that lists everything wrong with a payload."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from app.errors import ErrorItem, ValidationFailed

#: Most violations that an error lists.
MAX_ERRORS = 100
#: Counting stops at this many violations: a hostile body has hundreds of thousands.
MAX_COUNTED = 1000


def failure(items: Iterable[ErrorItem]) -> ValidationFailed | None:
    """Return an error that lists ``items``, None if there are none."""
    found = list(islice(items, MAX_COUNTED))
    if not found:
        return None
    if len(found) == 1:
        where = f" (at {found[0].pointer})" if found[0].pointer else ""
        return ValidationFailed(found[0].detail + where, errors=found)
    least = "at least " if len(found) == MAX_COUNTED else ""
    detail = f"The payload has {least}{len(found)} errors."
    if len(found) > MAX_ERRORS:
        detail += f" The first {MAX_ERRORS} are listed."
    return ValidationFailed(detail, errors=found[:MAX_ERRORS])
