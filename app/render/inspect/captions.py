"""Checks caption files against the rules of readable captions."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from app.render.captions.cues import MAX_CUE_SECONDS, MIN_CUE_SECONDS, MIN_GAP_SECONDS
from app.render.captions.readability import MAX_LINES, readability
from app.render.inspect.rules import Check, Expected, Rule

#: Tolerance in seconds. Files hold whole milliseconds, and a length or gap lies between two times.
_ROUNDING: Final = 0.002
#: Tolerance in characters per second, for the same reason.
_SPEED_ROUNDING: Final = 0.1
_CLOCK = r"(\d{2,}):(\d{2}):(\d{2})[.,](\d{3})"
_TIMES = re.compile(rf"{_CLOCK} --> {_CLOCK}")
#: Invisible characters that the writer adds to escape markup and to set the direction of a line.
MARKS: Final = dict.fromkeys(map(ord, "\u2060\u200e\u200f"))

CUE_LINES: Final = Rule("Captions", "cue-lines", f"at most {MAX_LINES} lines per cue")
CUE_WIDTH: Final = Rule(
    "Captions", "cue-width", "at most 42 characters per line; zh 16, ja 13, ko 16"
)
CUE_SPEED: Final = Rule(
    "Captions", "cue-speed", "at most 17 characters per second; zh 9, ja 4, ko 12"
)
CUE_LENGTH: Final = Rule("Captions", "cue-length", "1 to 7 s")
CUE_GAP: Final = Rule("Captions", "cue-gap", "at least 83 ms within a step")
CUE_STEP: Final = Rule("Captions", "cue-in-step", "each cue within one step")
SAME: Final = Rule("Captions", "srt-and-vtt", "the same cues in both files")

_RULES: Final = (CUE_LINES, CUE_WIDTH, CUE_SPEED, CUE_LENGTH, CUE_GAP, CUE_STEP, SAME)


@dataclass(frozen=True, slots=True)
class ParsedCue:
    """A cue parsed from a caption file. Times are in seconds."""

    start: float
    end: float
    lines: tuple[str, ...]

    @property
    def speed(self) -> float:
        """Reading speed in characters per second. A line break counts as one character."""
        return len("\n".join(self.lines)) / max(self.end - self.start, 0.001)


def read_cues(text: str, *, escaped: bool) -> tuple[ParsedCue, ...]:
    """Return the cues of a SubRip or WebVTT file.

    Args:
        text: The file.
        escaped: Whether the text of the cues is escaped, as in WebVTT.

    Raises:
        ValueError: A block is not a cue.
    """
    cues = []
    for block in text.split("\n\n"):
        if not block.strip() or block.startswith("WEBVTT"):
            continue
        lines = block.strip("\n").split("\n")
        found = ((index, _TIMES.match(line)) for index, line in enumerate(lines))
        at, match = next(((index, match) for index, match in found if match), (0, None))
        if match is None:
            raise ValueError(f"a cue without times: {lines[0][:40]!r}")
        numbers = [int(part) for part in match.groups()]
        content = [html.unescape(line) if escaped else line for line in lines[at + 1 :]]
        cues.append(
            ParsedCue(
                _seconds(numbers[:4]),
                _seconds(numbers[4:]),
                tuple(line.translate(MARKS) for line in content),
            )
        )
    return tuple(cues)


def _seconds(parts: Sequence[int]) -> float:
    hours, minutes, seconds, milliseconds = parts
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def no_caption_checks() -> Iterator[Check]:
    """Yield every caption rule as not applicable, for a preview without captions."""
    for rule in _RULES:
        yield rule.not_applicable("no captions")


def caption_checks(
    srt: Sequence[ParsedCue],
    vtt: Sequence[ParsedCue],
    expected: Expected,
    *,
    language: str,
    authored: bool = False,
) -> Iterator[Check]:
    """Yield the checks of the captions in one language.

    A cue that is too fast or too tall is only a warning if the author set the duration of its
    step, or recorded a narration for it.

    Args:
        srt: The cues of the SubRip file.
        vtt: The cues of the WebVTT file.
        expected: The film that the captions belong to.
        language: A language tag, or "" to choose the limits by the script.
        authored: Whether the job supplied the captions as a file. The renderer does not change
            those, so captions that are hard to read are only a warning.
    """
    if not srt and not vtt:
        yield from no_caption_checks()
        return
    for check in _reading(srt, expected, language):
        excused = authored and check.outcome == "broken"
        yield replace(check, outcome="warning") if excused else check
    measured = f"{len(srt)} in SRT, {len(vtt)} in WebVTT"
    yield SAME.check(measured, holds=tuple(srt) == tuple(vtt))


def _reading(srt: Sequence[ParsedCue], expected: Expected, language: str) -> Iterator[Check]:
    most = max((len(cue.lines) for cue in srt), default=0)
    excused = _all_given(srt, expected, _tall)
    yield CUE_LINES.check(f"up to {most}", holds=most <= MAX_LINES, excused=excused)
    yield _width(srt, language)
    yield _speed(srt, expected, language)
    yield _length(srt, expected)
    yield _gap(srt, expected)
    outside = [cue for cue in srt if _step(cue, expected) is None]
    yield CUE_STEP.check(f"{len(outside)} of {len(srt)} cues outside", holds=not outside)


def _tall(cue: ParsedCue) -> bool:
    return len(cue.lines) > MAX_LINES


def _width(cues: Sequence[ParsedCue], language: str) -> Check:
    over = [
        line
        for cue in cues
        for line in cue.lines
        if len(line) > readability(language, "\n".join(cue.lines)).line
    ]
    widest = max((len(line) for cue in cues for line in cue.lines), default=0)
    return CUE_WIDTH.check(f"up to {widest}", holds=not over)


def _speed(cues: Sequence[ParsedCue], expected: Expected, language: str) -> Check:
    def fast(cue: ParsedCue) -> bool:
        return cue.speed > readability(language, "\n".join(cue.lines)).speed + _SPEED_ROUNDING

    worst = max(cue.speed for cue in cues) if cues else 0.0
    holds = not any(map(fast, cues))
    return CUE_SPEED.check(
        f"up to {worst:.1f}", holds=holds, excused=_all_given(cues, expected, fast)
    )


def _length(cues: Sequence[ParsedCue], expected: Expected) -> Check:
    def odd(cue: ParsedCue) -> bool:
        seconds = cue.end - cue.start
        return not MIN_CUE_SECONDS - _ROUNDING <= seconds <= MAX_CUE_SECONDS + _ROUNDING

    lengths = [cue.end - cue.start for cue in cues] or [0.0]
    measured = f"{min(lengths):.2f} to {max(lengths):.2f} s"
    return CUE_LENGTH.check(
        measured, holds=not any(map(odd, cues)), excused=_all_given(cues, expected, odd)
    )


def _gap(cues: Sequence[ParsedCue], expected: Expected) -> Check:
    # Where a new step begins, the picture changes as well. The eye needs no gap there.
    pairs = [
        (first, second)
        for first, second in pairwise(cues)
        if _step(first, expected) == _step(second, expected)
    ]
    if not pairs:
        return CUE_GAP.not_applicable("no step has two cues")
    narrow = [
        second for first, second in pairs if second.start - first.end < MIN_GAP_SECONDS - _ROUNDING
    ]
    least = min(second.start - first.end for first, second in pairs)
    excused = _all_given(narrow, expected, lambda _: True)
    return CUE_GAP.check(f"smallest gap {least * 1000:.0f} ms", holds=not narrow, excused=excused)


def _all_given(
    cues: Sequence[ParsedCue], expected: Expected, bad: Callable[[ParsedCue], bool]
) -> bool:
    """Return whether every ``bad`` cue is in a step whose length the renderer did not choose."""
    steps = [_step(cue, expected) for cue in cues if bad(cue)]
    return all(step is not None and expected.sources[step] != "estimate" for step in steps)


def _step(cue: ParsedCue, expected: Expected) -> int | None:
    for index, (start, frames) in enumerate(zip(expected.starts, expected.lengths, strict=True)):
        begin, end = start / expected.fps, (start + frames) / expected.fps
        if begin - _ROUNDING <= cue.start and cue.end <= end + _ROUNDING:
            return index
    return None
