"""Bytes to a JSON value, with caps on size and nesting."""

from __future__ import annotations

import orjson

from app.contract.pointer import pointer
from app.errors import ErrorItem, InvalidJson, PayloadTooLarge

#: Largest body that is read: 1 MiB.
MAX_PAYLOAD_BYTES = 1_048_576
#: Deepest nesting of objects and arrays; the schema itself needs 9 levels.
MAX_DEPTH = 32


def parse_json(body: bytes) -> object:
    """Parse a body.

    Stricter than :mod:`json`: NaN, infinities, numbers beyond a double, lone
    surrogates, a byte order mark and invalid UTF-8 are refused.

    Raises:
        PayloadTooLarge: More than ``MAX_PAYLOAD_BYTES``.
        InvalidJson: No JSON; the detail says where and why.
    """
    if len(body) > MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge(
            f"The body has {len(body)} bytes; at most {MAX_PAYLOAD_BYTES} are read. "
            "Send pictures and sound as assets, not inside the payload."
        )
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(f"The body is not valid JSON: {error}.") from None
    return value


def nesting_error(value: object, *, at: tuple[str | int, ...] = ()) -> ErrorItem | None:
    """Return an error when ``value`` nests deeper than ``MAX_DEPTH``, else None.

    Iterative: a value that would exhaust Python's stack is still measured.

    Args:
        value: A parsed JSON value.
        at: Where it stands in the payload; counts as nesting.
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
                pointer(*path), "too-deep", f"Nested deeper than {MAX_DEPTH} levels; flatten it."
            )
        stack.extend(
            (child, (*path, key)) for key, child in children if isinstance(child, dict | list)
        )
    return None
