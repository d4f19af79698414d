"""Divides a film into runs of equal frames, and draws the picture of each run.

A frame is a pure function of the storyboard and its number. It changes only when a text appears or
disappears or something moves. So a run is long while everything stands still, and one frame long
while something moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.render.model.storyboard import Motion, Step, Storyboard
from app.render.picture import planes, transitions
from app.render.picture.stage import Stage
from app.render.story.motion import pose


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive equal frames of a step.

    Attributes:
        step_index: Index of the step.
        start_frame: First frame of the run, counted from the start of the film.
        frames: Number of frames.
    """

    step_index: int
    start_frame: int
    frames: int


def runs(storyboard: Storyboard) -> tuple[Run, ...]:
    """Return the runs of a film, in order and without gaps."""
    steps = range(len(storyboard.steps))
    return tuple(run for index in steps for run in step_runs(storyboard, index))


def step_runs(storyboard: Storyboard, index: int) -> list[Run]:
    """Return the runs of the step at ``index``, in order and without gaps."""
    step = storyboard.steps[index]
    starts: list[int] = []
    seen: object = None
    for moment in _moments(step):
        state = _state(step, moment)
        if state != seen:
            starts.append(moment)
            seen = state
    ends = [*starts[1:], step.frames]
    pairs = zip(starts, ends, strict=True)
    return [Run(index, step.start + start, end - start) for start, end in pairs]


def _moments(step: Step) -> list[int]:
    """Return the frames that may differ from the frame before, in order."""
    moments = {0}
    for text in step.texts:
        moments |= {text.span.start, text.span.end}
    for motions in _moved(step):
        for motion in motions:
            moments.update(range(motion.span.start, motion.span.end + 1))
    if step.transition is not None:
        moments.update(range(step.transition.frames + 1))
    return sorted(moment for moment in moments if 0 <= moment < step.frames)


def _moved(step: Step) -> Iterator[tuple[Motion, ...]]:
    """Yield the motions of the step, and of each of its pictures and callouts."""
    yield step.motions
    yield from (picture.motions for picture in step.pictures)
    yield from ((callout.motion,) for callout in step.callouts)


def _state(step: Step, frame: int) -> object:
    """Return a value that is equal for frames that look the same."""
    return (
        tuple(text.span.start <= frame < text.span.end for text in step.texts),
        tuple(pose(motions, frame) for motions in _moved(step)),
        transitions.share(step.transition, frame),
    )


class Compositor:
    """Draws the frames of a storyboard on one thread.

    Holds the :class:`Stage` of one step, and the last frame of the step before it.
    """

    def __init__(self, storyboard: Storyboard) -> None:
        planes.single_threaded()
        self._storyboard = storyboard
        self._index = -1
        self._stage: Stage | None = None
        self._last: tuple[int, NDArray[np.uint8]] | None = None
        self._before: NDArray[np.uint8] | None = None

    def picture(self, run: Run) -> NDArray[np.uint8]:
        """Return the frame that ``run`` repeats: uint8 sRGB of shape (height, width, 3).

        Raises:
            AssetFailed: A picture of the step cannot be decoded.
        """
        step = self._storyboard.steps[run.step_index]
        if self._stage is None or run.step_index != self._index:
            self._stage = self._enter(run.step_index, step)
        frame = run.start_frame - step.start
        picture = self._stage.frame(frame)
        if step.transition is not None and frame < step.transition.frames:
            picture = transitions.drawn(step.transition, frame, self._before, picture)
        if frame + run.frames == step.frames:
            self._last = (run.step_index, picture)
        return picture

    def _enter(self, index: int, step: Step) -> Stage:
        self._stage = self._before = None  # frees the old rasters before new ones are made
        self._index = -1
        if step.transition is not None and index:
            if self._last is None or self._last[0] != index - 1:
                ending = self._storyboard.steps[index - 1].frames - 1
                self._last = (index - 1, Stage(self._storyboard, index - 1).frame(ending))
            self._before = self._last[1]
        self._last = None
        stage = Stage(self._storyboard, index)
        self._index = index
        return stage
