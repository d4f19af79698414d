"""Caption files: SubRip and WebVTT that an author gives, read strictly.

Only what a film can use is kept: times and plain text. Malformed, foreign and huge files fail with
a sentence that names the line.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.render.text.setting import clean

#: Captions of an hour have a tenth of these.
MAX_BYTES: Final = 1024 * 1024
MAX_ENTRIES: Final = 5000
#: Characters of one caption.
MAX_CHARACTERS: Final = 500
#: Later no film ends; a larger number is an error in the file.
_MAX_HOURS: Final = 99

_TIME: Final = r"(?:(\d{1,3}):)?([0-5]\d):([0-5]\d)[.,](\d{3})"
_TIMING: Final = re.compile(rf"[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?")
#: Blocks of WebVTT that are no captions.
_ASIDE: Final = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")
#: Tags of WebVTT, and those that players of SubRip obey.
_VTT_TAG: Final = re.compile(r"<[^<>\n]*>")
_SRT_TAG: Final = re.compile(
    r"</?(?:b|i|u|s|font)(?:[ \t][^<>\n]*)?>|\{\\[^{}\n]*\}", re.IGNORECASE
)


class CaptionsMalformed(Exception):
    """A caption file cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One caption of a file. Times are seconds from the start of the film."""

    start: float
    end: float
    lines: tuple[str, ...]


def read_captions(path: Path) -> tuple[Entry, ...]:
    """Return the captions of a SubRip or WebVTT file, in order; none overlaps the next.

    Markup goes, its text stays. A caption that lasts into the next one is cut off there.

    Raises:
        CaptionsMalformed: The file is something else, or too large.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise CaptionsMalformed(f"it has more than {MAX_BYTES} bytes")
    return parse_captions(content)


def parse_captions(content: bytes) -> tuple[Entry, ...]:
    """Return the captions of a file's ``content``; as :func:`read_captions`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CaptionsMalformed("it is not UTF-8") from None
    lines = re.split(r"\r\n|\r|\n", text)
    vtt = re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]) is not None
    entries: list[Entry] = []
    for number, block in _blocks(lines, skip_first=vtt):
        if vtt and _ASIDE.fullmatch(block[0]):
            continue
        entry = _entry(number, block, vtt=vtt)
        if entries and entry.start <= entries[-1].start:
            raise CaptionsMalformed(f"line {number}: it does not start after the one before")
        if entry.lines:
            if entries and entries[-1].end > entry.start:
                entries[-1] = Entry(entries[-1].start, entry.start, entries[-1].lines)
            entries.append(entry)
        if len(entries) > MAX_ENTRIES:
            raise CaptionsMalformed(f"it has more than {MAX_ENTRIES} captions")
    if not entries:
        raise CaptionsMalformed("it has no captions")
    return tuple(entries)


def _blocks(lines: list[str], *, skip_first: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield what stands between blank lines, with the number of its first line."""
    block: list[str] = []
    skip = skip_first  # the header of WebVTT lasts until a blank line
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append(line)
            continue
        if block and not skip:
            yield number - len(block), block
        skip = skip and not block
        block = []


def _entry(number: int, block: list[str], *, vtt: bool) -> Entry:
    at = 0 if "-->" in block[0] else 1
    timing = _TIMING.fullmatch(block[at]) if at < len(block) else None
    if timing is None:
        raise CaptionsMalformed(
            f"line {number + min(at, len(block) - 1)}: there is no time such as"
            " 00:00:01,000 --> 00:00:02,500"
        )
    parts = timing.groups()
    start, end = _seconds(parts[:4], number + at), _seconds(parts[4:], number + at)
    if end <= start:
        raise CaptionsMalformed(f"line {number + at}: it does not end after it starts")
    text = "\n".join(block[at + 1 :])
    if len(text) > MAX_CHARACTERS:
        raise CaptionsMalformed(f"line {number}: it has more than {MAX_CHARACTERS} characters")
    plain = html.unescape(_VTT_TAG.sub("", text)) if vtt else _SRT_TAG.sub("", text)
    lines = (" ".join(line.split()) for line in clean(plain).splitlines())
    return Entry(start, end, tuple(line for line in lines if line))


def _seconds(parts: tuple[str | None, ...], number: int) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    if hours > _MAX_HOURS:
        raise CaptionsMalformed(f"line {number}: {hours} hours are more than a film has")
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
