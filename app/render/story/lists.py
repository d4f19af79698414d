"""Lists: bodies whose lines are items become texts of their own, which appear one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from app.render.story.drafts import DraftText

#: A line that is an item: a mark or a number, and a text.
_ITEM: Final = re.compile(r"\s*(?:(?P<mark>[•*–-])|(?P<number>\d{1,2})[.)])\s+(?P<text>\S.*)")
#: Marker of an item without a number.
BULLET: Final = "•"
#: Share of the step at which the first item appears, and over which all of them do.
_FIRST, _SPREAD = 0.1, 0.5
#: Fewer items are no list.
_LEAST: Final = 2


def is_item(line: str) -> bool:
    """Return whether a line begins with the mark of an item."""
    return _ITEM.fullmatch(line) is not None


def with_items(texts: tuple[DraftText, ...]) -> tuple[DraftText, ...]:
    """Return ``texts`` with the items of lists as texts of their own."""
    return tuple(part for text in texts for part in _parts(text))


def appearing(texts: tuple[DraftText, ...], seconds: float) -> tuple[DraftText, ...]:
    """Return ``texts`` with the moments at which items appear, in a step of ``seconds``."""
    items = [text for text in texts if text.marker]
    if len(items) < _LEAST or any(item.start or item.end is not None for item in items):
        return texts
    apart = _SPREAD * seconds / len(items)  # so the whole list is seen longest
    starts = {id(item): _FIRST * seconds + apart * place for place, item in enumerate(items)}
    return tuple(
        replace(text, start=starts[id(text)]) if id(text) in starts else text for text in texts
    )


def _parts(text: DraftText) -> Iterator[DraftText]:
    lines = [line for line in text.text.splitlines() if line.strip()]
    matches = [_ITEM.fullmatch(line) for line in lines]
    first = next((place for place, found in enumerate(matches) if found), len(lines))
    items = [found for found in matches[first:] if found]
    is_list = len(items) >= _LEAST and len(items) == len(lines) - first
    if text.role != "body" or text.box is not None or not is_list:
        yield text
        return
    if first:
        yield replace(text, text="\n".join(lines[:first]))
    for found in items:
        marker = f"{found['number']}." if found["number"] else BULLET
        yield replace(text, role="item", text=found["text"].strip(), marker=marker)
