"""Captions in the film's own language: the text of each step as timed cues.

Cues of two lines share the time of the narration (or of the step) in proportion to their
characters, so that a cue is on screen while its words are spoken. All times are whole frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from typing import Final

from app.render.captions.linebreaks import reach, tokenize, wrap
from app.render.captions.readability import MAX_LINES, Readability, readability
from app.render.captions.segmentation import segment
from app.render.model.storyboard import Step, Storyboard

#: Shortest and longest time of a cue on screen.
MIN_CUE_SECONDS: Final = 1.0
MAX_CUE_SECONDS: Final = 7.0
#: Gap between two cues: two frames at 24 fps, so that the eye notices the change.
MIN_GAP_SECONDS: Final = 0.083


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption. ``index`` counts from 1 through the film; times are seconds of the film."""

    index: int
    step_id: str
    start_seconds: float
    end_seconds: float
    lines: tuple[str, ...]

    @property
    def characters(self) -> int:
        """Number of characters to read. A line break counts as one."""
        return len("\n".join(self.lines))

    @property
    def speed(self) -> float:
        """Characters per second."""
        return self.characters / (self.end_seconds - self.start_seconds)


def build_cues(storyboard: Storyboard) -> tuple[Cue, ...]:
    """Divide the spoken text of every step into timed cues.

    Every word appears, in order. In a step that is too short for its text, the limits of reading
    are exceeded, all but the length of lines; :func:`caption_warnings` reports that.
    """
    cues: list[Cue] = []
    language, fps = storyboard.language, storyboard.fps
    for step in storyboard.steps:
        window = _window(step, language, fps)
        frames = window[1] - window[0]
        pieces = _cut(step.spoken, language, frames, fps, narrated=step.narration is not None)
        if len(pieces) > frames:
            pieces = _cut(
                step.spoken, language, frames, fps, narrated=step.narration is not None, joined=True
            )
        spans = _spread(pieces, language, window, fps) if pieces else []
        for lines, (start, end) in zip(pieces, spans, strict=True):
            cues.append(Cue(len(cues) + 1, step.id, start / fps, end / fps, lines))
    return tuple(cues)


def needed_frames(text: str, *, language: str, fps: int, frames: int) -> int:
    """Return how many frames, at least ``frames``, a silent step needs for its captions.

    Each cue stays long enough to be read. If there are several, each stays for at least a second.
    """
    gap = _gap_frames(fps)
    while pieces := _cut(text, language, max(frames - gap, 1), fps):
        least = (
            _least(pieces, language, fps) if len(pieces) > 1 else _readable(pieces, language, fps)
        )
        needed = sum(least) + gap * len(pieces)
        if needed <= frames:
            break
        frames = needed  # cut anew: in more time there may be more cues
    return frames


def reading_speed(cues: Iterable[Cue]) -> float:
    """Return the highest number of characters per second in ``cues``, 0 if there are none."""
    return max((cue.speed for cue in cues), default=0.0)


def caption_warnings(storyboard: Storyboard, cues: Iterable[Cue]) -> tuple[str, ...]:
    """Return a sentence for every step whose captions are too fast to read."""
    warnings = []
    for step_id, group in groupby(cues, key=lambda cue: cue.step_id):
        speeds = [(cue.speed, _own(storyboard.language, cue.lines).speed) for cue in group]
        speed, limit = max(speeds, key=lambda pair: pair[0] / pair[1])
        if speed > limit + 0.05:
            warnings.append(
                f"step {step_id}: its captions have {speed:.1f} characters per second,"
                f" {limit} is the limit; lengthen the step or shorten its text"
            )
    return tuple(warnings)


def _own(language: str, lines: tuple[str, ...]) -> Readability:
    """Return the limits of one cue. A quotation may be in another script than its step."""
    return readability(language, "\n".join(lines))


def _window(step: Step, language: str, fps: int) -> tuple[int, int]:
    """Return the frames in which the step's cues are shown.

    They are those of the narration, or more if reading takes longer. The gap
    before the first cue of the next step stays free.
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


@lru_cache(maxsize=512)
def _cut(
    text: str,
    language: str,
    frames: int,
    fps: int,
    *,
    narrated: bool = False,
    joined: bool = False,
) -> tuple[tuple[str, ...], ...]:
    """Return the lines of each cue of a text that is shown for ``frames``.

    With ``joined`` there are never more cues than frames; each may then have many lines.
    """
    line = readability(language, text).line
    while True:
        tokens = tokenize(text, line=line)
        characters = reach(tokens)[-1] - len(tokens[0].space) if tokens else 0
        rate = characters / (frames / fps)
        capacity = MAX_LINES * line
        if narrated:
            # In slow speech, a cue of two full lines would stay longer than the maximum.
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
            return tuple(cues)
        line = min(wide)


def _readable(cues: Sequence[tuple[str, ...]], language: str, fps: int) -> list[int]:
    """Return the number of frames that it takes to read each cue."""
    return [math.ceil(len("\n".join(lines)) * fps / _own(language, lines).speed) for lines in cues]


def _least(cues: Sequence[tuple[str, ...]], language: str, fps: int) -> list[int]:
    """Return the fewest frames that each cue should have."""
    shortest = math.ceil(MIN_CUE_SECONDS * fps)
    return [max(shortest, frames) for frames in _readable(cues, language, fps)]


def _spread(
    cues: Sequence[tuple[str, ...]], language: str, window: tuple[int, int], fps: int
) -> list[tuple[int, int]]:
    """Divide the frames of ``window`` among ``cues``, in proportion to their characters."""
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
    """Round halves up, so that a share of whole frames keeps its length wherever it begins."""
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
