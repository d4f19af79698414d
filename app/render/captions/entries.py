"""What a caption file holds: its captions, their times and their text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from app.render.text.setting import clean

#: No film ends later, so a larger number is a mistake in the file.
_MAX_HOURS: Final = 99

#: A time may lack its hours. Where it lacks its milliseconds, nothing may follow at once.
_TIME: Final = (
    r"(?:([0-9]{1,6}):(?=[0-9]{2}:))?([0-9]{1,2}):([0-9]{2})"
    r"(?:[.,]([0-9]{3})(?![0-9.,:])|(?=[ \t]|-->|$))"
)
_TIMING: Final = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}.*")
#: An arrow that is meant to join times: there is a number such as "00:" or ",000" at its side.
_MEANT: Final = re.compile(
    r"^[ \t]*-?[0-9]+[ \t]*[:.,].*-->|[:.,][0-9]{2,3}[ \t]*-->|-->[ \t]*-?[0-9]+[ \t]*[:.,]"
)
_CLOCK: Final = r"(?:[0-9]+:){1,2}[0-9]+[.,][0-9]+"
#: A line that is meant as a time, since no text begins so ("0:00:01.000,0:00:02.000") or goes on
#: so ("00:01.000 -->").
_STAMP: Final = re.compile(
    rf"[ \t]*(?:[0-9]+:[0-9]+:[0-9]+[.,][0-9]{{3}}|{_CLOCK}\W{{1,5}}{_CLOCK})"
    r"|.*[0-9]:[0-9]{2}[.,][0-9]{3}[ \t]*-->"
)
_UNCLOSED: Final = re.compile(r"</|<[0-9]+:|<(?:[bciuv]|font|lang|rt|ruby)(?:[.\s<]|$)")


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
    meant = "-->" in line and (not arrow_is_text or _MEANT.search(line))
    if meant or _STAMP.match(line):
        raise _no_time(line, number)
    return None


def _no_time(line: str, number: int) -> CaptionsMalformed:
    return CaptionsMalformed(
        f"line {number}: {line.strip()[:40]!r} should be a time such as"
        " 00:00:01.000 --> 00:00:02.500"
    )


def _seconds(parts: tuple[str | None, ...], number: int) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    if hours > _MAX_HOURS:
        raise CaptionsMalformed(f"line {number}: {hours} hours are more than a film has")
    if max(minutes, seconds) > 59:  # noqa: PLR2004 - of a clock
        raise CaptionsMalformed(f"line {number}: minutes and seconds go up to 59")
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def hold_closed(text: str, number: int) -> None:
    """Refuse a tag without its end in the ``text`` under line ``number``: it would be shown.

    Raises:
        CaptionsMalformed: There is one.
    """
    if unclosed := _UNCLOSED.search(text):
        raise CaptionsMalformed(
            f"line {number}: {unclosed[0].strip()!r} in its text is a tag without an end; end it"
            " with >, or put a space after the sign <"
        )


def shown_lines(text: str, number: int) -> tuple[str, ...]:
    """Return the lines of a caption, without empty ones and superfluous spaces.

    Args:
        text: Its text, without markup.
        number: The line of its times, for messages.

    Raises:
        CaptionsMalformed: A line is a time, which only its markup has hidden.
    """
    lines = [re.sub(r"[ \t]+", " ", line).strip(" ") for line in clean(text).splitlines()]
    for line in filter(_STAMP.match, lines):
        raise _no_time(line, number)
    return tuple(line for line in lines if line.strip())
