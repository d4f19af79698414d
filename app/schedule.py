"""Parses the schedule of a cron task strictly: every schedule that is accepted also fires.

periodiq, which runs the tasks, accepts minutes and days that do not exist, and never fires on a
Sunday that is written as 0. So schedules are translated for it: ``@weekly`` becomes ``0 0 * * 7``.
"""

from __future__ import annotations

import re
from typing import Final

#: Names of schedules, as in cron.
_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 7",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
#: The five fields with their least and largest values.
_FIELDS: Final = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("weekday", 0, 7),
)
#: Names of values, in order from the least value of their field.
_NAMES: Final = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "weekday": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
_PART: Final = re.compile(r"(?:(\*)|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?")
_LONGEST_MONTHS: Final = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def spelt_out(schedule: str) -> str:
    """Translate a schedule into five fields of numbers. Sunday is 7.

    Args:
        schedule: Five fields as in cron, or a name such as ``@daily``.

    Raises:
        ValueError: The schedule is not valid, or would never fire. The message says why.
    """
    words = _NAMED.get(schedule.strip().lower(), schedule.lower()).split()
    if len(words) != len(_FIELDS):
        names = ", ".join(_NAMED)
        raise ValueError(
            "use five fields as in cron (minute, hour, day, month, weekday), "
            f"one of {names}, or never"
        )
    values = [
        _values(word, name=name, least=least, most=most)
        for word, (name, least, most) in zip(words, _FIELDS, strict=True)
    ]
    days, months, weekdays = values[2:]
    if words[4] == "*" and all(min(days) > _LONGEST_MONTHS.get(month, 31) for month in months):
        raise ValueError(f"no month {words[3]!r} has a day {words[2]!r}")
    values[4] = {day or 7 for day in weekdays}
    return " ".join(
        "*" if word == "*" else ",".join(map(str, sorted(found)))
        for word, found in zip(words, values, strict=True)
    )


def _values(word: str, *, name: str, least: int, most: int) -> set[int]:
    """Return the values that a field selects."""
    found: set[int] = set()
    for part in _numbered(word, name, least).split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{name} {word!r}: use numbers, *, ranges as 1-5 and steps as */10")
        every, first, last, step = match.groups()
        start, end = (least, most) if every else (int(first), int(last or first))
        if not least <= start <= end <= most:
            raise ValueError(f"{name} {word!r}: use {least} to {most}, the lower number first")
        if step and (int(step) == 0 or not (every or last)):
            raise ValueError(f"{name} {word!r}: a step follows * or a range, and is at least 1")
        found.update(range(start, end + 1, int(step or 1)))
    return found


def _numbered(word: str, field: str, least: int) -> str:
    for number, name in enumerate(_NAMES.get(field, ()), start=least):
        word = re.sub(rf"\b{name}\b", str(number), word)
    return word
