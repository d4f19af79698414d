"""Transitions: how the first frames of a step come out of the last frame before it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.render.model.storyboard import Transition
from app.render.picture import planes
from app.render.story.motion import EASINGS

#: A fade goes to black in its first half, and comes out of it in the second.
_DARKEST: Final = 0.5
_BLACK: Final = (0, 0, 0)


def share(transition: Transition | None, frame: int) -> float:
    """Return how much of a step is there at ``frame``: more than 0, 1 from its end on."""
    if transition is None or frame >= transition.frames:
        return 1.0
    return (frame + 1) / (transition.frames + 1)


def drawn(
    transition: Transition,
    frame: int,
    before: NDArray[np.uint8] | None,
    now: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Return a frame of a transition.

    Args:
        transition: The step's.
        frame: Number of the frame in the step.
        before: The last frame of the step before; None, for the first step, is black.
        now: What the step itself shows.
    """
    gone = share(transition, frame)
    if before is None:
        if transition.kind in ("fade", "crossfade"):
            return planes.towards(now, _BLACK, 1 - gone)
        before = np.zeros_like(now)
    if transition.kind == "crossfade":
        return planes.mixed(before, now, gone)
    if transition.kind == "fade":
        if gone < _DARKEST:
            return planes.towards(before, _BLACK, gone / _DARKEST)
        return planes.towards(now, _BLACK, (1 - gone) / _DARKEST)
    width = now.shape[1]
    # Whole pixels: a slide crosses some ten of them in a frame.
    way = round(width * EASINGS["easeInOutSine"](gone))
    if transition.kind == "slide-left":
        return np.concatenate((before[:, way:], now[:, :way]), axis=1)
    return np.concatenate((now[:, width - way :], before[:, : width - way]), axis=1)
