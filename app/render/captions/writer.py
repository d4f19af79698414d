"""Cues written as SubRip and WebVTT files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

from app.render.captions.cues import Cue
from app.render.text import bidi

#: Word joiner (U+2060), which is invisible. It keeps players from reading text as markup.
_JOINER: Final = "\u2060"
#: Invisible marks (UAX #9) that set the direction of a line: left to right, right to left.
_MARKS: Final = ("\u200e", "\u200f")


def to_srt(cues: Iterable[Cue]) -> str:
    """Write ``cues`` as SubRip.

    SubRip has no escapes, so an invisible joiner breaks up what looks like markup.
    """
    return "".join(f"{cue.index}\n{_span(cue, ',')}\n{_srt_text(cue.lines)}\n\n" for cue in cues)


def to_vtt(cues: Iterable[Cue]) -> str:
    """Write ``cues`` as WebVTT (https://www.w3.org/TR/webvtt1/)."""
    return "WEBVTT\n\n" + "".join(
        f"{cue.index}\n{_span(cue, '.')}\n{_vtt_text(cue.lines)}\n\n" for cue in cues
    )


def directed(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines of a cue, all in the direction of most of its letters.

    Players take the direction of a line from its first letter. If that letter has the other
    direction (a line of Hebrew that begins with "UNO"), an invisible mark precedes it.
    """
    rtl = bidi.mostly_rtl("".join(lines))
    if not rtl and not any(map(bidi.is_rtl, lines)):
        return lines
    return tuple(line if bidi.is_rtl(line) == rtl else _MARKS[rtl] + line for line in lines)


def _span(cue: Cue, mark: str) -> str:
    # Rounded inwards, so that a cue stays in its step and a gap never shrinks.
    start = math.ceil(cue.start_seconds * 1000 - 1e-6)
    end = math.floor(cue.end_seconds * 1000 + 1e-6)
    return f"{_clock(start, mark)} --> {_clock(end, mark)}"


def _clock(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{rest:03}"


def _srt_text(lines: tuple[str, ...]) -> str:
    text = "\n".join(directed(lines)).replace("-->", f"--{_JOINER}>")
    return re.sub(r"<(?=[A-Za-z/]|[0-9]+:)|\{(?=\\)", lambda match: match[0] + _JOINER, text)


def _vtt_text(lines: tuple[str, ...]) -> str:
    text = "\n".join(directed(lines))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
