"""Transitions from the last frame of a step to the first frames of the next."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.render.model.storyboard import Transition
from app.render.picture import planes
from app.render.story.motion import EASINGS

#: Share of a fade at which the frame is black.
_DARKEST: Final = 0.5
_BLACK: Final = (0, 0, 0)


def share(transition: Transition | None, frame: int) -> float:
    """Return the progress of a transition at ``frame``: above 0, and 1 after its end."""
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
        transition: The transition.
        frame: Index of the frame in the step.
        before: Last frame of the step before; None, for the first step, means black.
        now: The frame of the step itself. Both are uint8 sRGB of shape (height, width, 3).
    """
    progress = share(transition, frame)
    if before is None:
        if transition.kind in ("fade", "crossfade"):
            return planes.towards(now, _BLACK, 1 - progress)
        before = np.zeros_like(now)
    if transition.kind == "crossfade":
        return planes.mixed(before, now, progress)
    if transition.kind == "fade":
        if progress < _DARKEST:
            return planes.towards(before, _BLACK, progress / _DARKEST)
        return planes.towards(now, _BLACK, (1 - progress) / _DARKEST)
    width = now.shape[1]
    # Whole pixels suffice: a slide moves by about ten per frame.
    offset = round(width * EASINGS["easeInOutSine"](progress))
    if transition.kind == "slide-left":
        return np.concatenate((before[:, offset:], now[:, :offset]), axis=1)
    return np.concatenate((now[:, width - offset :], before[:, : width - offset]), axis=1)
