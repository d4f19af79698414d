"""JSON pointers (RFC 6901), and short quotations of values in messages."""

from __future__ import annotations

import json

#: Longest quotation of a value in a message, in characters.
MAX_QUOTE = 80


def pointer(*parts: str | int) -> str:
    """Return the JSON pointer of a path, "" for the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def quote(value: object) -> str:
    """Return a value as a message refers to it, in at most ``MAX_QUOTE`` characters."""
    if isinstance(value, dict):
        return f"An object of {len(value)} fields"
    if isinstance(value, list):
        return f"An array of {len(value)} items"
    if isinstance(value, str):
        text = json.dumps(value[:MAX_QUOTE], ensure_ascii=False)
        # Escape what json.dumps does not: line separators, DEL and other control characters.
        text = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
        cut = len(value) > MAX_QUOTE or len(text) > MAX_QUOTE
        return text[: MAX_QUOTE - 2].rstrip('"') + '…"' if cut else text
    text = json.dumps(value)
    return text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 1] + "…"
