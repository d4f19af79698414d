"""Lines of the values in a JSON text, by their JSON pointers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from app.contract.pointer import pointer

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Lines:
    """First and last line of a value, counted from 1."""

    first: int
    last: int


@dataclass(slots=True)
class _Open:
    """An array or object that is not closed yet."""

    path: tuple[str | int, ...]
    first: int
    is_array: bool
    key: str | int = field(default=0)


def positions(text: str) -> dict[str, Lines]:
    """Return the lines of each value in a valid JSON text, by its JSON pointer.

    A member's first line is that of its name. Of members with the same name, the last one counts,
    as it does for parsers.
    """
    found: dict[str, Lines] = {}
    stack: list[_Open] = []
    first = line = 1
    place, expects_name = 0, False
    for token in _TOKEN.finditer(text):
        line += text.count("\n", place, token.start())
        place, word = token.start(), token[0]
        top = stack[-1] if stack else None
        if word in "]}":
            closed = stack.pop()
            found[pointer(*closed.path)] = Lines(closed.first, line)
            expects_name = False
        elif word == ",":
            assert top is not None
            if isinstance(top.key, int):
                top.key += 1
            expects_name = not top.is_array
        elif word == ":":
            continue
        elif expects_name:
            assert top is not None
            top.key, first, expects_name = orjson.loads(word), line, False
        else:
            path = (*top.path, top.key) if top else ()
            if top is None or top.is_array:
                first = line
            if word in "[{":
                stack.append(_Open(path, first, word == "["))
                expects_name = word == "{"
            else:
                found[pointer(*path)] = Lines(first, line)
    return found


def line_of(where: str, lines: dict[str, Lines]) -> int:
    """Return the line of a JSON pointer; of a value that is missing, that of what it misses from.

    Args:
        where: A JSON pointer.
        lines: What :func:`positions` returned.
    """
    while where and where not in lines:
        where = where.rpartition("/")[0]
    return lines[where].first if where in lines else 1


def step_lines(document: Any, lines: dict[str, Lines]) -> list[dict[str, Any]]:
    """Return id, first and last line of each step, as far as the document has steps.

    Args:
        document: A parsed payload, which need not be valid.
        lines: What :func:`positions` returned.
    """
    request = document.get("previewRequest") if isinstance(document, dict) else None
    steps = request.get("steps") if isinstance(request, dict) else None
    found = []
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        where = lines[f"/previewRequest/steps/{index}"]
        given = step.get("id") if isinstance(step, dict) else None
        name = given if isinstance(given, str) else f"step-{index + 1}"
        found.append({"id": name, "first": where.first, "last": where.last})
    return found
