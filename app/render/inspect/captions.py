"""Checks finished caption files against the rules of readable captions."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from app.render.captions.cues import MAX_CUE_SECONDS, MIN_CUE_SECONDS, MIN_GAP_SECONDS
from app.render.captions.readability import MAX_LINES, readability
from app.render.inspect.rules import Check, Expected, Rule

#: Times are whole milliseconds, rounded inwards. A gap or a length has two such roundings.
_ROUNDING: Final = 0.002
_SPEED_ROUNDING: Final = 0.1
_CLOCK = r"(\d{2,}):(\d{2}):(\d{2})[.,](\d{3})"
_TIMES = re.compile(rf"{_CLOCK} --> {_CLOCK}")
#: Invisible marks that the writer adds: to escape markup, and to set the direction of a line.
MARKS: Final = dict.fromkeys(map(ord, "\u2060\u200e\u200f"))

CUE_LINES: Final = Rule("Captions", "cue-lines", f"at most {MAX_LINES}")
CUE_WIDTH: Final = Rule(
    "Captions", "cue-width", "at most 42 characters per line; zh 16, ja 13, ko 16"
)
CUE_SPEED: Final = Rule(
    "Captions", "cue-speed", "at most 17 characters per second; zh 9, ja 4, ko 12"
)
CUE_LENGTH: Final = Rule("Captions", "cue-length", "1 to 7 s")
CUE_GAP: Final = Rule("Captions", "cue-gap", "at least 83 ms")
CUE_STEP: Final = Rule("Captions", "cue-in-step", "each cue within one step")
SAME: Final = Rule("Captions", "srt-and-vtt", "the same cues")

_RULES: Final = (CUE_LINES, CUE_WIDTH, CUE_SPEED, CUE_LENGTH, CUE_GAP, CUE_STEP, SAME)


@dataclass(frozen=True, slots=True)
class ReadCue:
    """A cue of a caption file. Times are in seconds."""

    start: float
    end: float
    lines: tuple[str, ...]

    @property
    def speed(self) -> float:
        """Characters per second. A line break counts as one."""
        return len("\n".join(self.lines)) / max(self.end - self.start, 0.001)


def read_cues(text: str, *, escaped: bool) -> tuple[ReadCue, ...]:
    """Return the cues of a SubRip file, or of a WebVTT file, whose text is ``escaped``.

    Raises:
        ValueError: A block is not a cue.
    """
    cues = []
    for block in text.split("\n\n"):
        if not block.strip() or block.startswith("WEBVTT"):
            continue
        lines = block.strip("\n").split("\n")
        at = next((index for index, line in enumerate(lines) if _TIMES.match(line)), None)
        if at is None:
            raise ValueError(f"no times in {lines[0][:40]!r}")
        match = _TIMES.match(lines[at])
        assert match is not None  # noqa: S101 - it has just matched
        numbers = [int(part) for part in match.groups()]
        said = [html.unescape(line) if escaped else line for line in lines[at + 1 :]]
        cues.append(
            ReadCue(
                _seconds(numbers[:4]),
                _seconds(numbers[4:]),
                tuple(line.translate(MARKS) for line in said),
            )
        )
    return tuple(cues)


def _seconds(parts: Sequence[int]) -> float:
    hours, minutes, seconds, milliseconds = parts
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def no_caption_checks() -> Iterator[Check]:
    """Yield the rules as not applicable, for a preview without captions."""
    for rule in _RULES:
        yield rule.not_applicable("no captions")


def caption_checks(
    srt: Sequence[ReadCue],
    vtt: Sequence[ReadCue],
    expected: Expected,
    *,
    language: str,
    authored: bool = False,
) -> Iterator[Check]:
    """Yield the checks of the captions in one language.

    The author may have given a step, or its narration, a duration that is too short for its
    words. That is a warning.

    Args:
        srt: The cues of the SubRip file.
        vtt: The cues of the WebVTT file.
        expected: The film to which they belong.
        language: A language tag, or "" to choose the limits by the script.
        authored: Whether they come from a caption file of the job, which is left as it is.
            Captions that are hard to read are then a warning.
    """
    if not srt and not vtt:
        yield from no_caption_checks()
        return
    for check in _reading(srt, expected, language):
        excused = authored and check.outcome == "broken"
        yield replace(check, outcome="warning") if excused else check
    same = [_key(cue) for cue in srt] == [_key(cue) for cue in vtt]
    yield SAME.check(f"{len(srt)} and {len(vtt)}", holds=same)


def _reading(srt: Sequence[ReadCue], expected: Expected, language: str) -> Iterator[Check]:
    most = max((len(cue.lines) for cue in srt), default=0)
    yield CUE_LINES.check(most, holds=most <= MAX_LINES, excused=_all_given(srt, expected, _tall))
    yield _width(srt, language)
    yield _speed(srt, expected, language)
    yield _length(srt, expected)
    yield _gap(srt, expected)
    outside = [cue for cue in srt if _step(cue, expected) is None]
    told = f"{len(outside)} of {len(srt)} outside" if outside else f"{len(srt)} cues"
    yield CUE_STEP.check(told, holds=not outside)


def _key(cue: ReadCue) -> tuple[float, float, tuple[str, ...]]:
    return cue.start, cue.end, cue.lines


def _tall(cue: ReadCue) -> bool:
    return len(cue.lines) > MAX_LINES


def _width(cues: Sequence[ReadCue], language: str) -> Check:
    over = [
        line
        for cue in cues
        for line in cue.lines
        if len(line) > readability(language, "\n".join(cue.lines)).line
    ]
    widest = max((len(line) for cue in cues for line in cue.lines), default=0)
    return CUE_WIDTH.check(f"up to {widest}", holds=not over)


def _speed(cues: Sequence[ReadCue], expected: Expected, language: str) -> Check:
    def fast(cue: ReadCue) -> bool:
        return cue.speed > readability(language, "\n".join(cue.lines)).speed + _SPEED_ROUNDING

    worst = max(cue.speed for cue in cues) if cues else 0.0
    holds = not any(map(fast, cues))
    return CUE_SPEED.check(
        f"up to {worst:.1f}", holds=holds, excused=_all_given(cues, expected, fast)
    )


def _length(cues: Sequence[ReadCue], expected: Expected) -> Check:
    def odd(cue: ReadCue) -> bool:
        seconds = cue.end - cue.start
        return not MIN_CUE_SECONDS - _ROUNDING <= seconds <= MAX_CUE_SECONDS + _ROUNDING

    lengths = [cue.end - cue.start for cue in cues] or [0.0]
    told = f"{min(lengths):.2f} to {max(lengths):.2f} s"
    return CUE_LENGTH.check(
        told, holds=not any(map(odd, cues)), excused=_all_given(cues, expected, odd)
    )


def _gap(cues: Sequence[ReadCue], expected: Expected) -> Check:
    # Between two steps the picture changes anyway, so only gaps within a step count.
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
    return CUE_GAP.check(f"at least {least * 1000:.0f} ms", holds=not narrow, excused=excused)


def _all_given(cues: Sequence[ReadCue], expected: Expected, bad: object) -> bool:
    """Return whether all ``bad`` cues are in steps whose length the renderer did not choose."""
    assert callable(bad)  # noqa: S101 - all callers pass a function
    steps = [_step(cue, expected) for cue in cues if bad(cue)]
    return all(step is not None and expected.sources[step] != "estimate" for step in steps)


def _step(cue: ReadCue, expected: Expected) -> int | None:
    for index, (start, frames) in enumerate(zip(expected.starts, expected.lengths, strict=True)):
        begin, end = start / expected.fps, (start + frames) / expected.fps
        if begin - _ROUNDING <= cue.start and cue.end <= end + _ROUNDING:
            return index
    return None
