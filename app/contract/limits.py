"""Checks the times and boxes of a step: they must lie within the step and the frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.contract.pointer import pointer
from app.errors import ErrorItem

#: Shortest step in seconds.
MIN_STEP_SEC: Final = 0.5
#: Smallest side of a box, as a fraction of the frame's side.
MIN_BOX: Final = 0.01
#: Tolerance for rounding errors of boxes and times: 0.1 + 0.2 is more than 0.3.
TOLERANCE: Final = 1e-9

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]


def step_limits(step: JsonObject, path: Path) -> Iterator[ErrorItem]:
    """Yield everything that lies outside the step's duration or outside the frame.

    Args:
        step: A step that the schema has accepted.
        path: Path of the step in the payload.
    """
    seconds = step.get("durationSec")
    if seconds is not None and seconds < MIN_STEP_SEC:
        detail = f"{seconds:g} s is too short; a step must last at least {MIN_STEP_SEC} s."
        yield ErrorItem(pointer(*path, "durationSec"), "too-small", detail)
    for index, overlay in enumerate(step.get("overlays", ())):
        here = (*path, "overlays", index)
        yield from _span(overlay, seconds, here)
        yield from _placement(overlay, here)
    for index, visual in enumerate(step.get("visuals", ())):
        here = (*path, "visuals", index)
        yield from _placement(visual, here)
        for number, motion in enumerate(visual.get("motions", ())):
            yield from _span(motion, seconds, (*here, "motions", number))
    if "motion" in step:
        yield from _span(step["motion"], seconds, (*path, "motion"))
    for index, callout in enumerate(step.get("callouts", ())):
        here = (*path, "callouts", index)
        yield from _box(callout["target"], ("w", "h"), (*here, "target"))
        appears = callout.get("appearSec")
        if appears is not None and seconds is not None and appears >= seconds:
            yield _late(appears, seconds, (*here, "appearSec"))
    focus = step.get("layout", {}).get("visualFocus")
    if focus:
        yield from _box(focus, ("w", "h"), (*path, "layout", "visualFocus"))


def _span(thing: JsonObject, seconds: float | None, path: Path) -> Iterator[ErrorItem]:
    start, end = thing.get("startSec"), thing.get("endSec")
    if end is not None and end <= (start or 0):
        detail = f"endSec {end:g} must be greater than startSec {start or 0:g}."
        yield ErrorItem(pointer(*path, "endSec"), "bad-time-range", detail)
    if seconds is None:
        return
    if start is not None and start >= seconds:
        yield _late(start, seconds, (*path, "startSec"))
    if end is not None and end > seconds + TOLERANCE:
        yield _late(end, seconds, (*path, "endSec"))


def _late(moment: float, seconds: float, path: Path) -> ErrorItem:
    detail = f"{moment:g} s is after the end of the step, which lasts {seconds:g} s."
    return ErrorItem(pointer(*path), "outside-step", detail)


def _placement(thing: JsonObject, path: Path) -> Iterator[ErrorItem]:
    box = thing.get("placement")
    if box is None:
        return
    here = (*path, "placement")
    for side in ("width", "height"):
        if box[side] < MIN_BOX:
            detail = f"{box[side]:g} is too small; the minimum is {MIN_BOX}."
            yield ErrorItem(pointer(*here, side), "too-small", detail)
    yield from _box(box, ("width", "height"), here)


def _box(box: JsonObject, sides: tuple[str, str], path: Path) -> Iterator[ErrorItem]:
    for origin, side in zip(("x", "y"), sides, strict=True):
        end = box[origin] + box.get(side, 0)
        if end > 1 + TOLERANCE:
            detail = f"{origin} + {side} is {end:g}; a sum above 1 lies outside the frame."
            yield ErrorItem(pointer(*path), "outside-frame", detail)
