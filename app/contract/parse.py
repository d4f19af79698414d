"""Parses JSON, with limits on size and nesting."""

from __future__ import annotations

import orjson

from app.contract.pointer import pointer
from app.errors import ErrorItem, InvalidJson, PayloadTooLarge

#: Largest accepted body: 1 MiB.
MAX_PAYLOAD_BYTES = 1_048_576
#: Deepest accepted nesting of objects and arrays. The schema itself needs 9 levels.
MAX_DEPTH = 32


def parse_json(body: bytes) -> object:
    """Parse a body.

    Stricter than :mod:`json`: NaN, infinities, numbers that do not fit a double, lone
    surrogates, a byte order mark and invalid UTF-8 are errors.

    Raises:
        PayloadTooLarge: The body has more than ``MAX_PAYLOAD_BYTES``.
        InvalidJson: The body is not JSON. The detail says where and why.
    """
    if len(body) > MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge(
            f"The body has {len(body)} bytes; the limit is {MAX_PAYLOAD_BYTES}. "
            "Send pictures and sound as assets, not in the payload."
        )
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"The body is not valid JSON: {error}.") from None
    return value


def nesting_error(value: object, *, at: tuple[str | int, ...] = ()) -> ErrorItem | None:
    """Return an error if ``value`` is nested deeper than ``MAX_DEPTH``, else None.

    Does not recurse, so no value can exhaust Python's stack.

    Args:
        value: A parsed JSON value.
        at: Path of the value in the payload, which counts as nesting.
    """
    stack = [(value, at)]
    while stack:
        node, path = stack.pop()
        if isinstance(node, dict):
            children = list(node.items())
        elif isinstance(node, list):
            children = list(enumerate(node))
        else:
            continue
        if len(path) >= MAX_DEPTH:
            return ErrorItem(
                pointer(*path),
                "too-deep",
                f"The value is nested deeper than {MAX_DEPTH} levels; flatten it.",
            )
        stack.extend(
            (child, (*path, key)) for key, child in children if isinstance(child, dict | list)
        )
    return None
