"""Captions that are on screen at once: a player stacks them, a film has one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from app.render.captions.entries import CaptionsMalformed, Entry

#: Characters on screen at once.
MAX_CHARACTERS: Final = 500
#: Overlaps below this many seconds are roundings: the earlier caption ends when the later begins.
_BRIEF: Final = 0.2


def stacked(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return ``entries`` one after the other, each with all the lines that are shown meanwhile.

    Of captions at once, the first to begin is above; if they begin together, the first in the
    file. What is said twice at once is shown once.

    Raises:
        CaptionsMalformed: More is on screen at once than can be read.
    """
    ordered = _once(sorted(entries, key=lambda entry: entry.start))
    starts = [entry.start for entry in ordered]
    return tuple(_stacks([_trimmed(entry, starts) for entry in ordered]))


def _once(entries: Sequence[Entry]) -> list[Entry]:
    """Unite captions of the same text that overlap."""
    found: list[Entry] = []
    places: dict[tuple[str, ...], int] = {}
    for entry in entries:
        place = places.get(entry.lines)
        if place is not None and entry.start < found[place].end:
            found[place] = replace(found[place], end=max(found[place].end, entry.end))
        else:
            places[entry.lines] = len(found)
            found.append(entry)
    return found


def _trimmed(entry: Entry, starts: list[float]) -> Entry:
    """Return a caption that does not last briefly into the next."""
    after = max(entry.end - _BRIEF, entry.start)
    place = bisect_right(starts, after)
    return replace(entry, end=min([entry.end, *starts[place : place + 1]]))


def _stacks(entries: Sequence[Entry]) -> Iterator[Entry]:
    waiting = list(reversed(entries))
    shown: list[Entry] = []
    times = sorted({time for entry in entries for time in (entry.start, entry.end)})
    for start, end in pairwise(times):
        shown = [entry for entry in shown if entry.end > start]
        while waiting and waiting[-1].start <= start:
            shown.append(waiting.pop())
        lines = tuple(line for entry in shown for line in entry.lines)
        if sum(map(len, lines)) > MAX_CHARACTERS:
            raise CaptionsMalformed(
                f"line {shown[-1].number}: more than {MAX_CHARACTERS} characters are shown at once"
            )
        if lines:
            yield Entry(start, end, lines, shown[-1].number)
