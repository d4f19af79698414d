"""Events of a step: how it begins, and the callouts that come in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.render.model.request import CalloutRequest, TransitionRequest
from app.render.model.storyboard import Callout, Motion, Span, Transition

#: Length of a transition that does not say so.
TRANSITION_SECONDS: Final = 0.5
#: A callout fades in for so long.
APPEAR_SECONDS: Final = 0.25


def transition(wish: TransitionRequest, *, frames: int, fps: int) -> Transition | None:
    """Return the transition of a step of ``frames`` frames: at most half of it, None for a cut."""
    seconds = TRANSITION_SECONDS if wish.seconds is None else wish.seconds
    length = min(round(seconds * fps), frames // 2)
    return None if wish.kind == "cut" or length < 1 else Transition(wish.kind, length)


def callouts(
    wishes: Sequence[CalloutRequest], *, frames: int, fps: int
) -> tuple[tuple[Callout, ...], list[str]]:
    """Return the callouts of a step of ``frames`` frames, and notes on what is left out."""
    found, notes = [], []
    for wish in wishes:
        start = round(wish.appear_seconds * fps)
        if start >= frames:
            notes.append("a callout appears after its end and is left out")
            continue
        found.append(
            Callout(
                kind=wish.kind,
                label=wish.label,
                target=wish.target,
                motion=Motion(
                    "fade",
                    Span(start, start + max(1, round(APPEAR_SECONDS * fps))),
                    "linear",
                    (0.0, 0.0, 0.0),
                    (1.0, 0.0, 0.0),
                ),
            )
        )
    return tuple(found), notes
