"""Checks durations, motion and the place of pictures by the timeline of the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from app.render.inspect.rules import Check, Rule
from app.render.model.pacing import BASE_SECONDS, HEADING_PAUSE_SECONDS, SECONDS_PER_WORD
from app.render.model.style import PICTURE_SAFE
from app.render.story.choreography import AT_ONCE, PAN, ZOOM, ZOOM_SECONDS
from app.render.story.events import TRANSITION_SECONDS

Step = Mapping[str, Any]

#: Tolerance: the manifest writes factors and boxes with at least four decimals.
_ROUNDING: Final = 1e-4

ZOOMS: Final = Rule(
    "Picture", "zoom", f"factor {ZOOM[0]:g} to {ZOOM[1]:g}, in steps of at least {ZOOM_SECONDS:g} s"
)
PANS: Final = Rule("Picture", "pan", f"at most {PAN:.0%} of the picture")
TOGETHER: Final = Rule("Picture", "motions-at-once", f"at most {AT_ONCE}")
CROSSFADES: Final = Rule(
    "Picture", "crossfade", f"{TRANSITION_SECONDS:g} s, or half of the step if that is shorter"
)
PICTURES: Final = Rule(
    "Picture", "picture-safe-area", f"at least {PICTURE_SAFE:.0%} of the frame free at each edge"
)
DURATIONS: Final = Rule(
    "Picture",
    "step-duration",
    f"at least {BASE_SECONDS:g} s + {SECONDS_PER_WORD:g} s per word + {HEADING_PAUSE_SECONDS:g} s"
    " for a heading, unless given or narrated",
)


def motion_checks(timeline: Sequence[Step], *, fps: int) -> Iterator[Check]:
    """Yield the checks of the timeline of a manifest.

    The renderer limits the zooms and pans that an author asks for, so exceeding their limits always
    breaks the rule. The author's own place of a picture or length of a crossfade is only a warning.

    Args:
        timeline: The steps, as in the manifest.
        fps: Frames per second of the film.

    Raises:
        KeyError, TypeError, ValueError: It is not a timeline.
    """
    yield _durations(timeline, fps)
    if not all("motions" in step for step in timeline):
        for rule in (ZOOMS, PANS, TOGETHER, CROSSFADES, PICTURES):
            yield rule.not_applicable(
                "the manifest is from an earlier version, which did not record it"
            )
        return
    yield _zooms(timeline, fps)
    yield _pans(timeline)
    most = max((_most_at_once(step) for step in timeline), default=0)
    yield TOGETHER.check(most, holds=most <= AT_ONCE)
    yield _crossfades(timeline, fps)
    yield _pictures(timeline)


def _owners(step: Step) -> list[Sequence[Mapping[str, Any]]]:
    """Return the motions of the step as a whole, and of each of its pictures."""
    return [step["motions"], *(picture["motions"] for picture in step["pictures"])]


def _moves(timeline: Iterable[Step], *kinds: str) -> list[tuple[Step, Mapping[str, Any]]]:
    return [
        (step, move)
        for step in timeline
        for owner in _owners(step)
        for move in owner
        if move["type"] in kinds
    ]


def _zooms(timeline: Sequence[Step], fps: int) -> Check:
    zooms = _moves(timeline, "zoom")
    if not zooms:
        return ZOOMS.not_applicable("no zooms")
    factors = [float(move["factor"]) for _, move in zooms]
    shortest = min(float(step["durationSec"]) for step, _ in zooms)
    right = ZOOM[0] - _ROUNDING <= min(factors) and max(factors) <= ZOOM[1] + _ROUNDING
    span = f"factor {min(factors):g} to {max(factors):g}"
    measured = f"{span}, shortest step {shortest:.1f} s; zooms: {len(zooms)}"
    return ZOOMS.check(measured, holds=right and shortest >= ZOOM_SECONDS - 0.5 / fps)


def _pans(timeline: Sequence[Step]) -> Check:
    pans = [float(move["way"]) for _, move in _moves(timeline, "zoom", "pan") if move["way"]]
    if not pans:
        return PANS.not_applicable("no pans")
    return PANS.check(
        f"up to {max(pans):.1%}; pans: {len(pans)}", holds=max(pans) <= PAN + _ROUNDING
    )


def _most_at_once(step: Step) -> int:
    moving: list[tuple[float, float]] = []
    for owner in _owners(step):
        spans = [(float(move["startSec"]), float(move["endSec"]), move["type"]) for move in owner]
        slides = [span for span in spans if span[2] == "slide"]
        for start, end, kind in spans:
            # A soft slide also fades in. The two count as one motion.
            softly = kind == "fade" and any(start < to and since < end for since, to, _ in slides)
            if not softly:
                moving.append((start, end))
    return max((sum(a <= start < b for a, b in moving) for start, _ in moving), default=0)


def _crossfades(timeline: Sequence[Step], fps: int) -> Check:
    fades = [step for step in timeline if (step["transition"] or {}).get("in") == "crossfade"]
    if not fades:
        return CROSSFADES.not_applicable("no crossfades")
    lengths = [float(step["transition"]["durationSec"]) for step in fades]
    other = [
        step
        for step, length in zip(fades, lengths, strict=True)
        if abs(length - min(TRANSITION_SECONDS, float(step["durationSec"]) / 2)) > 1 / fps
    ]
    measured = f"{min(lengths):.2f} to {max(lengths):.2f} s; crossfades: {len(fades)}"
    excused = all(step["transition"].get("given") for step in other)
    return CROSSFADES.check(measured, holds=not other, excused=excused)


def _pictures(timeline: Sequence[Step]) -> Check:
    shown = [(step, picture) for step in timeline for picture in step["pictures"]]
    if not shown:
        return PICTURES.not_applicable("no pictures other than backgrounds")
    margins = [_margin(picture["box"]) for _, picture in shown]
    outside = [
        pair
        for pair, margin in zip(shown, margins, strict=True)
        if margin < PICTURE_SAFE - _ROUNDING
    ]
    measured = f"smallest margin {min(margins):.1%}; pictures: {len(shown)}"
    chosen = [
        picture["placed"] == "given" or step["layout"] == "full-bleed" for step, picture in outside
    ]
    return PICTURES.check(measured, holds=not outside, excused=all(chosen))


def _margin(box: Mapping[str, Any]) -> float:
    x, y, width, height = (float(box[key]) for key in ("x", "y", "width", "height"))
    return min(x, y, 1 - x - width, 1 - y - height)


def _durations(timeline: Sequence[Step], fps: int) -> Check:
    estimated = [
        step for step in timeline if step["durationSource"] == "estimate" and "words" in step
    ]
    if not estimated:
        return DURATIONS.not_applicable("no step has an estimated duration")
    spare = [
        float(step["durationSec"])
        - BASE_SECONDS
        - SECONDS_PER_WORD * int(step["words"])
        - (HEADING_PAUSE_SECONDS if step["headed"] else 0.0)
        for step in estimated
    ]
    shortest = min(float(step["durationSec"]) for step in estimated)
    measured = f"shortest {shortest:.2f} s; steps: {len(estimated)}"
    return DURATIONS.check(measured, holds=min(spare) >= -1 / fps)
