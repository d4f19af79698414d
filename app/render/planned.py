"""Parts of a plan: pictures, callouts and movements of a step, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.render.model.areas import Rect
from app.render.model.pacing import count_words
from app.render.model.request import StepRequest
from app.render.model.storyboard import Motion, Span, Step, Storyboard
from app.render.model.style import BURNT_CAPTION, style_of
from app.render.story import layout
from app.render.story.layout import Layout


def seconds(frames: int, fps: int) -> float:
    """Return frames as seconds, rounded to microseconds."""
    return round(frames / fps, 6)


def times(span: Span, fps: int) -> dict[str, float]:
    """Return when a span begins and ends within its step."""
    return {"startSec": seconds(span.start, fps), "endSec": seconds(span.end, fps)}


def box(rect: Rect, storyboard: Storyboard) -> dict[str, float]:
    """Return a rectangle of pixels as fractions of the frame."""
    return {
        "x": round(rect.x / storyboard.width, 4),
        "y": round(rect.y / storyboard.height, 4),
        "width": round(rect.width / storyboard.width, 4),
        "height": round(rect.height / storyboard.height, 4),
    }


def pictures(placed: Layout, storyboard: Storyboard) -> list[dict[str, Any]]:
    """Return the pictures of a step, from the lowest to the highest."""
    return [
        {
            "assetId": layer.picture.asset_id,
            "fit": layer.fit,
            "layer": layer.layer,
            "placed": "layout" if layer.box is None else "given",
            "box": box(rect, storyboard),
            "motions": motions(layer.motions, storyboard.fps),
        }
        for layer, rect in placed.pictures
    ]


def callouts(step: Step, fps: int) -> list[dict[str, Any]]:
    """Return the callouts of a step; their boxes are what they point at."""
    return [
        {
            "kind": callout.kind,
            "label": callout.label,
            "startSec": seconds(callout.motion.span.start, fps),
            "box": {
                "x": round(callout.target.x, 4),
                "y": round(callout.target.y, 4),
                "width": round(callout.target.width, 4),
                "height": round(callout.target.height, 4),
            },
        }
        for callout in step.callouts
    ]


def motions(found: Iterable[Motion], fps: int) -> list[dict[str, Any]]:
    """Return movements by name, with how far they go."""
    return [
        {
            "type": motion.kind,
            "easing": motion.easing,
            **times(motion.span, fps),
            **_amounts(motion),
        }
        for motion in found
    ]


def _amounts(motion: Motion) -> dict[str, float]:
    """Return the factor and the way (a share of the picture) of what has them."""
    amounts: dict[str, float] = {}
    if motion.kind in ("zoom", "pulse"):
        amounts["factor"] = round(max(motion.before[0], motion.after[0]), 6)
    if motion.kind in ("zoom", "pan"):
        ways = (abs(motion.after[axis] - motion.before[axis]) for axis in (1, 2))
        amounts["way"] = round(max(ways), 6)
    return amounts


def transition(step: Step, fps: int) -> dict[str, Any] | None:
    """Return how a step begins, None where it just does."""
    if step.transition is None:
        return None
    return {
        "in": step.transition.kind,
        "durationSec": seconds(step.transition.frames, fps),
    }


def shown(step: Step, storyboard: Storyboard, *, given: StepRequest) -> dict[str, Any]:
    """Return what of a step a finished film is held to: its words, pictures and movements.

    Args:
        step: One of the storyboard's.
        storyboard: The film.
        given: The step as the author asks for it.
    """
    begins = transition(step, storyboard.fps)
    if begins is not None:
        begins["given"] = given.transition.seconds is not None
    texts = [text for text in step.texts if text.role != BURNT_CAPTION]
    placed = layout.place(
        step.texts,
        step.pictures,
        width=storyboard.width,
        height=storyboard.height,
        arrangement=step.arrangement,
    )
    return {
        "layout": step.arrangement.mode,
        "words": count_words(" ".join(text.text for text in texts)),
        "headed": any(style_of(text.role).heads and text.text.strip() for text in texts),
        "spoken": step.spoken,
        "transition": begins,
        "motions": motions(step.motions, storyboard.fps),
        "pictures": pictures(placed, storyboard),
    }
