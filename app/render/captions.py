"""Captions: cues cut from the storyboard's own frames, and written as SRT and WebVTT.

A step's text is cut into cues of two lines, and these are spread over the
narration (or the step) in proportion to their characters, so that a cue stands
while its words are spoken. All times are whole frames.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING, Final

from app.render import cuetext

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.render.cuetext import Readability, Token
    from app.render.storyboard import Step, Storyboard

#: A cue is on screen for at least and at most so long.
MIN_CUE_SECONDS: Final = 1.0
MAX_CUE_SECONDS: Final = 7.0
#: Between two cues: two frames at 24 fps, so that the eye sees the change.
MIN_GAP_SECONDS: Final = 0.083
#: Invisible (U+2060, word joiner); keeps SRT players from reading text as markup.
_JOINER: Final = "\u2060"


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption. ``index`` counts from 1 over the film; times are seconds of the film."""

    index: int
    step_id: str
    start_seconds: float
    end_seconds: float
    lines: tuple[str, ...]

    @property
    def characters(self) -> int:
        """Characters to read, a line break counted as one."""
        return len("\n".join(self.lines))

    @property
    def speed(self) -> float:
        """Characters a second."""
        return self.characters / (self.end_seconds - self.start_seconds)


def build_cues(storyboard: Storyboard) -> tuple[Cue, ...]:
    """Cut every step's spoken text into timed cues.

    Every word appears, in order. Where a step is too short for its text, all
    limits but the lines' length yield to that; see :func:`caption_warnings`.
    """
    cues: list[Cue] = []
    for step in storyboard.steps:
        limits = cuetext.readability(storyboard.language, step.spoken)
        tokens = cuetext.tokenize(step.spoken, line=limits.line)
        if not tokens or not step.frames:
            continue
        window = _window(step, len(cuetext.join(tokens)), limits, storyboard.fps)
        pieces = _cut(step, tokens, limits, window[1] - window[0], storyboard.fps)
        spans = _spread([len(lines) for lines in map("\n".join, pieces)], window, storyboard.fps)
        for lines, (start, end) in zip(pieces, spans, strict=True):
            cues.append(
                Cue(len(cues) + 1, step.id, start / storyboard.fps, end / storyboard.fps, lines)
            )
    return tuple(cues)


def reading_speed(cues: Iterable[Cue]) -> float:
    """Return the greatest characters a second of ``cues``, 0 when there are none."""
    return max((cue.speed for cue in cues), default=0.0)


def caption_warnings(storyboard: Storyboard, cues: Iterable[Cue]) -> tuple[str, ...]:
    """Return a sentence for every step whose captions are faster than they can be read."""
    spoken = {step.id: step.spoken for step in storyboard.steps}
    warnings = []
    for step_id, group in groupby(cues, key=lambda cue: cue.step_id):
        limit = cuetext.readability(storyboard.language, spoken[step_id]).speed
        speed = reading_speed(group)
        if speed > limit + 0.05:
            warnings.append(
                f"step {step_id}: its captions need {speed:.1f} characters a second to be read,"
                f" {limit} is the limit: lengthen the step or shorten its text"
            )
    return tuple(warnings)


def to_srt(cues: Iterable[Cue]) -> str:
    """Write ``cues`` as SubRip.

    The format has no escapes: an invisible joiner breaks up what looks like markup.
    """
    return "".join(f"{cue.index}\n{_span(cue, ',')}\n{_srt_text(cue.lines)}\n\n" for cue in cues)


def to_vtt(cues: Iterable[Cue]) -> str:
    """Write ``cues`` as WebVTT (https://www.w3.org/TR/webvtt1/)."""
    return "WEBVTT\n\n" + "".join(
        f"{cue.index}\n{_span(cue, '.')}\n{_vtt_text(cue.lines)}\n\n" for cue in cues
    )


def _window(step: Step, characters: int, limits: Readability, fps: int) -> tuple[int, int]:
    """Frames in which the step's cues may stand: the narration's, longer if it takes that to read.

    The gap before the next step's first cue is left free.
    """
    gap = _gap_frames(fps)
    end = max(step.end - gap, step.start + 1)
    if step.narration is None:
        return step.start, end
    start = step.start + round(step.narration.offset_seconds * fps)
    start = min(max(start, step.start), end - 1)
    spoken = math.ceil(step.narration.seconds * fps)
    cues = math.ceil(characters / limits.line)
    needed = math.ceil(characters / limits.speed * fps) + cues * (gap + 1)
    return start, min(end, start + max(spoken, needed, math.ceil(MIN_CUE_SECONDS * fps)))


def _cut(
    step: Step, tokens: list[Token], limits: Readability, frames: int, fps: int
) -> list[tuple[str, ...]]:
    """Return the lines of each cue; never more cues than frames."""
    rate = len(cuetext.join(tokens)) / (frames / fps)
    capacity = cuetext.MAX_LINES * limits.line
    if step.narration is not None:
        # Slow speech: a cue that held two full lines would outstay its longest.
        capacity = min(capacity, max(limits.line, int(MAX_CUE_SECONDS * rate)))
    pieces = cuetext.cut(
        tokens, line=limits.line, capacity=capacity, shortest=MIN_CUE_SECONDS * rate
    )
    if len(pieces) > frames:
        size = math.ceil(len(pieces) / frames)
        starts = range(0, len(pieces), size)
        pieces = [list(chain.from_iterable(pieces[at : at + size])) for at in starts]
    return [cuetext.wrap(piece, line=limits.line) for piece in pieces]


def _spread(lengths: list[int], window: tuple[int, int], fps: int) -> list[tuple[int, int]]:
    """Share the window's frames among cues of ``lengths`` characters."""
    start, end = window
    gap = _gap_frames(fps)
    frames = end - start - gap * (len(lengths) - 1)
    if frames < len(lengths):
        gap, frames = 0, end - start
    shares = _shares(lengths, frames, min(MIN_CUE_SECONDS * fps, frames / len(lengths)))
    spans = []
    reached = float(start)
    for share in shares:
        first, last = round(reached), round(reached + share)
        spans.append((first, min(last, first + round(MAX_CUE_SECONDS * fps))))
        reached += share + gap
    return spans


def _shares(lengths: list[int], frames: float, least: float) -> list[float]:
    """Divide ``frames`` in proportion to ``lengths``, none below ``least``."""
    short: set[int] = set()
    while True:
        free = sum(length for i, length in enumerate(lengths) if i not in short)
        rate = (frames - least * len(short)) / free if free else 0.0
        found = {i for i, n in enumerate(lengths) if i not in short and n * rate < least - 1e-9}
        if not found:
            return [least if i in short else n * rate for i, n in enumerate(lengths)]
        short |= found


def _gap_frames(fps: int) -> int:
    return math.ceil(MIN_GAP_SECONDS * fps)


def _span(cue: Cue, mark: str) -> str:
    # Rounded inwards: a cue never leaves its step, a gap never shrinks.
    start = math.ceil(cue.start_seconds * 1000 - 1e-6)
    end = math.floor(cue.end_seconds * 1000 + 1e-6)
    return f"{_clock(start, mark)} --> {_clock(end, mark)}"


def _clock(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{rest:03}"


def _srt_text(lines: tuple[str, ...]) -> str:
    text = "\n".join(lines).replace("-->", f"--{_JOINER}>")
    return re.sub(r"<(?=[A-Za-z/])|\{(?=\\)", lambda match: match[0] + _JOINER, text)


def _vtt_text(lines: tuple[str, ...]) -> str:
    text = "\n".join(lines)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
