"""Limits what the record of a job may hold, so that lists of records stay small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import orjson

#: Most bytes of the warnings of a record, and of the violations of its error, as JSON.
MAX_LIST_BYTES: Final = 16 * 1024
#: Longest single text, in characters.
MAX_TEXT: Final = 1000


def bounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an attempt's outcome with what exceeds the limits cut off.

    Args:
        fields: JSON-ready values, as :meth:`app.ledger.Ledger.settle` takes them.
    """
    result = dict(fields)
    if warnings := fields.get("warnings"):
        result["warnings"] = bounded_warnings(warnings)
    if error := fields.get("error"):
        result["error"] = dict(error)
        if detail := error.get("detail"):
            result["error"]["detail"] = cut(detail)
        if violations := error.get("errors"):
            short = [{name: cut(text) for name, text in item.items()} for item in violations]
            result["error"]["errors"] = short[: _fitting(short)]
    return result


def bounded_warnings(warnings: Sequence[str]) -> list[str]:
    """Return the first warnings, and a last one that counts those left out, if any."""
    texts = list(map(cut, warnings))
    kept = _fitting(texts)
    return texts if kept == len(texts) else [*texts[:kept], f"{len(texts) - kept} more warnings"]


def cut(text: str) -> str:
    """Return ``text`` with at most :data:`MAX_TEXT` characters."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _fitting(items: Sequence[object]) -> int:
    """Return how many of the first items fit into :data:`MAX_LIST_BYTES`."""
    sizes = accumulate(len(orjson.dumps(item)) + 1 for item in items)
    return sum(size <= MAX_LIST_BYTES for size in sizes)
