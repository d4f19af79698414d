"""Events of a step: how it begins, and the callouts that come in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.render.model.storyboard import Box, Callout, Motion, Span, Transition

#: Length of a transition that does not say so.
TRANSITION_SECONDS: Final = 0.5
#: A callout fades in for so long.
APPEAR_SECONDS: Final = 0.25


def transition(wish: Mapping[str, Any], *, frames: int, fps: int) -> Transition | None:
    """Return the transition of a step of ``frames`` frames: at most half of it, None for a cut."""
    kind = wish.get("in", "cut")
    length = min(round(wish.get("durationSec", TRANSITION_SECONDS) * fps), frames // 2)
    return None if kind == "cut" or length < 1 else Transition(kind, length)


def callouts(
    wishes: Sequence[Mapping[str, Any]], *, frames: int, fps: int
) -> tuple[tuple[Callout, ...], list[str]]:
    """Return the callouts of a step of ``frames`` frames, and notes on what is left out."""
    found, notes = [], []
    for wish in wishes:
        start = round(wish.get("appearSec", 0.0) * fps)
        if start >= frames:
            notes.append("a callout appears after its end and is left out")
            continue
        target = wish["target"]
        found.append(
            Callout(
                kind=wish.get("kind", "box"),
                label=wish.get("label", ""),
                target=Box(target["x"], target["y"], target.get("w", 0.0), target.get("h", 0.0)),
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
