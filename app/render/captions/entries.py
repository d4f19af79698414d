"""What a caption file holds: its captions, their times and their text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from app.render.text.setting import clean

#: No film ends later, so a larger number is a mistake in the file.
_MAX_HOURS: Final = 99

#: A time may lack its hours, and its milliseconds.
_TIME: Final = r"(?:([0-9]{1,6}):)?([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]{3}))?(?![0-9.,:])"
_TIMING: Final = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}.*")
#: A line that is meant as times: it has a number such as "00:" before or after the arrow.
_MEANT: Final = re.compile(r"[ \t]*-?[0-9]+[ \t]*[:.,].*-->|.*-->[ \t]*-?[0-9]+[ \t]*[:.,]")
_CLOCK: Final = r"(?:[0-9]+:){1,2}[0-9]+[.,][0-9]+"
#: Two times that are joined by something else, as in YouTube's SBV files.
_JOINED: Final = re.compile(rf"[ \t]*{_CLOCK}\W{{1,5}}{_CLOCK}")


class CaptionsMalformed(Exception):
    """A caption file cannot be read. The message says where, why, and what to change."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One caption of a file.

    Attributes:
        start: Seconds from the start of the film.
        end: The same; never before ``start``.
        lines: Its text, without markup and empty lines.
        number: The line of the file that has its times, counted from 1.
    """

    start: float
    end: float
    lines: tuple[str, ...]
    number: int = field(default=0, compare=False)


def timing(line: str, number: int, *, arrow_is_text: bool = False) -> tuple[float, float] | None:
    """Return the start and end in seconds that ``line`` gives, or ``None`` where it is text.

    Args:
        line: A line of the file.
        number: Its number, for messages.
        arrow_is_text: Whether ``-->`` may stand in text, as in SubRip.

    Raises:
        CaptionsMalformed: The line is meant as times, but they cannot be read.
    """
    match = _TIMING.fullmatch(line) if "-->" in line else None
    if match:
        start, end = _seconds(match.groups()[:4], number), _seconds(match.groups()[4:], number)
        if end < start:
            raise CaptionsMalformed(f"line {number}: it ends before it begins; swap its times")
        return start, end
    meant = "-->" in line and (not arrow_is_text or _MEANT.match(line))
    if meant or _JOINED.match(line):
        raise CaptionsMalformed(
            f"line {number}: {line.strip()[:40]!r} should be a time such as"
            " 00:00:01.000 --> 00:00:02.500"
        )
    return None


def _seconds(parts: tuple[str | None, ...], number: int) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    if hours > _MAX_HOURS:
        raise CaptionsMalformed(f"line {number}: {hours} hours are more than a film has")
    if max(minutes, seconds) > 59:  # noqa: PLR2004 - of a clock
        raise CaptionsMalformed(f"line {number}: minutes and seconds go up to 59")
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def shown_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a caption's ``text``, without empty ones and superfluous spaces."""
    lines = (re.sub(r"[ \t]+", " ", line).strip(" ") for line in clean(text).splitlines())
    return tuple(line for line in lines if line.strip())
