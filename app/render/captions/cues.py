"""Captions: cues cut from the storyboard's own frames.

A step's text is cut into cues of two lines, and these are spread over the
narration (or the step) in proportion to their characters, so that a cue stands
while its words are spoken. All times are whole frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Final

from app.render.captions.linebreaks import join, tokenize, wrap
from app.render.captions.readability import MAX_LINES, Readability, readability
from app.render.captions.segmentation import segment
from app.render.model.storyboard import Narration, Step, Storyboard

#: A cue is on screen for at least and at most so long.
MIN_CUE_SECONDS: Final = 1.0
MAX_CUE_SECONDS: Final = 7.0
#: Between two cues: two frames at 24 fps, so that the eye sees the change.
MIN_GAP_SECONDS: Final = 0.083


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
    language, fps = storyboard.language, storyboard.fps
    for step in storyboard.steps:
        window = _window(step, language, fps)
        pieces = _cut(step.spoken, language, window[1] - window[0], fps, step.narration)
        spans = _spread(pieces, language, window, fps) if pieces else []
        for lines, (start, end) in zip(pieces, spans, strict=True):
            cues.append(Cue(len(cues) + 1, step.id, start / fps, end / fps, lines))
    return tuple(cues)


def needed_frames(text: str, *, language: str, fps: int, frames: int) -> int:
    """Return the frames, at least ``frames``, that a silent step needs for its captions.

    So many that each cue can be read; several stand for a second each at least.
    """
    gap = _gap_frames(fps)
    while pieces := _cut(text, language, max(frames - gap, 1), fps, None, joined=False):
        least = (
            _least(pieces, language, fps) if len(pieces) > 1 else _readable(pieces, language, fps)
        )
        needed = sum(least) + gap * len(pieces)
        if needed <= frames:
            break
        frames = needed  # cut anew: in more time there may be more cues
    return frames


def reading_speed(cues: Iterable[Cue]) -> float:
    """Return the greatest characters a second of ``cues``, 0 when there are none."""
    return max((cue.speed for cue in cues), default=0.0)


def caption_warnings(storyboard: Storyboard, cues: Iterable[Cue]) -> tuple[str, ...]:
    """Return a sentence for every step whose captions are faster than they can be read."""
    warnings = []
    for step_id, group in groupby(cues, key=lambda cue: cue.step_id):
        speeds = [(cue.speed, _own(storyboard.language, cue.lines).speed) for cue in group]
        speed, limit = max(speeds, key=lambda pair: pair[0] / pair[1])
        if speed > limit + 0.05:
            warnings.append(
                f"step {step_id}: its captions need {speed:.1f} characters a second to be read,"
                f" {limit} is the limit: lengthen the step or shorten its text"
            )
    return tuple(warnings)


def _own(language: str, lines: tuple[str, ...]) -> Readability:
    """Return the limits of one cue: a quotation may be of another script than its step."""
    return readability(language, "\n".join(lines))


def _window(step: Step, language: str, fps: int) -> tuple[int, int]:
    """Frames in which the step's cues may stand: the narration's, longer if it takes that to read.

    The gap before the next step's first cue is left free.
    """
    gap = _gap_frames(fps)
    end = max(step.end - gap, step.start + 1)
    if step.narration is None:
        return step.start, end
    limits = readability(language, step.spoken)
    characters = len(" ".join(step.spoken.split()))
    start = step.start + round(step.narration.offset_seconds * fps)
    start = min(max(start, step.start), end - 1)
    spoken = math.ceil(step.narration.seconds * fps)
    cues = math.ceil(characters / limits.line)
    needed = math.ceil(characters / limits.speed * fps) + cues * (gap + 1)
    return start, min(end, start + max(spoken, needed, math.ceil(MIN_CUE_SECONDS * fps)))


def _cut(
    text: str,
    language: str,
    frames: int,
    fps: int,
    narration: Narration | None,
    *,
    joined: bool = True,
) -> list[tuple[str, ...]]:
    """Return the lines of each cue of a text that has ``frames``.

    ``joined``: never more cues than frames, however many lines each then has.
    """
    line = readability(language, text).line
    while True:
        tokens = tokenize(text, line=line)
        rate = len(join(tokens)) / (frames / fps)
        capacity = MAX_LINES * line
        if narration is not None:
            # Slow speech: a cue that held two full lines would outstay its longest.
            capacity = min(capacity, max(line, int(MAX_CUE_SECONDS * rate)))
        pieces = segment(tokens, line=line, capacity=capacity, shortest=MIN_CUE_SECONDS * rate)
        if joined:
            size = math.ceil(len(pieces) / frames) or 1
            starts = range(0, len(pieces), size)
            pieces = [list(chain(*pieces[at : at + size])) for at in starts]
        cues = [wrap(piece, line=line) for piece in pieces]
        limits = [_own(language, lines).line for lines in cues]
        wide = [
            limit for limit, lines in zip(limits, cues, strict=True) if max(map(len, lines)) > limit
        ]
        if not wide or min(wide) >= line:
            return cues
        line = min(wide)


def _readable(cues: list[tuple[str, ...]], language: str, fps: int) -> list[int]:
    """Return the frames in which each cue can be read."""
    return [math.ceil(len("\n".join(lines)) * fps / _own(language, lines).speed) for lines in cues]


def _least(cues: list[tuple[str, ...]], language: str, fps: int) -> list[int]:
    """Return the frames that each cue should have at least."""
    shortest = math.ceil(MIN_CUE_SECONDS * fps)
    return [max(shortest, frames) for frames in _readable(cues, language, fps)]


def _spread(
    cues: list[tuple[str, ...]], language: str, window: tuple[int, int], fps: int
) -> list[tuple[int, int]]:
    """Share the window's frames among ``cues``, in proportion to their characters."""
    start, end = window
    gap = _gap_frames(fps)
    frames = end - start - gap * (len(cues) - 1)
    if frames < len(cues):
        gap, frames = 0, end - start
    even: list[float] = [min(MIN_CUE_SECONDS * fps, frames / len(cues))] * len(cues)
    readable = _readable(cues, language, fps)
    wanted: list[list[float]] = [[*_least(cues, language, fps)], [*readable]]
    least = next((best for best in wanted if sum(best) <= frames), even)
    spans = []
    reached = float(start)
    for share in _shares([len("\n".join(lines)) for lines in cues], frames, least):
        first, last = _nearest(reached), _nearest(reached + share)
        spans.append((first, min(last, first + round(MAX_CUE_SECONDS * fps))))
        reached += share + gap
    return spans


def _nearest(frames: float) -> int:
    """Round halves up: a share of whole frames keeps them wherever it begins."""
    return math.floor(frames + 0.5 + 1e-6)


def _shares(lengths: list[int], frames: float, least: list[float]) -> list[float]:
    """Divide ``frames`` in proportion to ``lengths``, none below its ``least``."""
    short: set[int] = set()
    while True:
        free = sum(length for i, length in enumerate(lengths) if i not in short)
        rest = frames - sum(least[i] for i in short)
        rate = rest / free if free else 0.0
        found = {i for i, n in enumerate(lengths) if i not in short and n * rate < least[i] - 1e-9}
        if not found:
            return [least[i] if i in short else n * rate for i, n in enumerate(lengths)]
        short |= found


def _gap_frames(fps: int) -> int:
    return math.ceil(MIN_GAP_SECONDS * fps)
