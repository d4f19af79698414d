"""What a film shows and how it moves, by the timeline of its manifest, against the limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from app.render.inspect.rules import Check, Rule
from app.render.model.pacing import BASE_SECONDS, HEADING_PAUSE_SECONDS, SECONDS_PER_WORD
from app.render.model.style import PICTURE_SAFE
from app.render.story.choreography import AT_ONCE, PAN, ZOOM, ZOOM_SECONDS
from app.render.story.events import TRANSITION_SECONDS

Step = Mapping[str, Any]

#: Amounts and boxes are written with four digits and more.
_ROUNDING: Final = 1e-4

ZOOMS: Final = Rule(
    "Picture", "zoom", f"by {ZOOM[0]:g} to {ZOOM[1]:g}, in steps of {ZOOM_SECONDS:g} s and more"
)
PANS: Final = Rule("Picture", "pan", f"at most {PAN:.0%} of the picture")
TOGETHER: Final = Rule("Picture", "motions-at-once", f"at most {AT_ONCE}")
CROSSFADES: Final = Rule(
    "Picture", "crossfade", f"{TRANSITION_SECONDS:g} s, or half of a short step"
)
PICTURES: Final = Rule(
    "Picture", "picture-safe-area", f"{PICTURE_SAFE:.0%} of the frame free at every edge"
)
DURATIONS: Final = Rule(
    "Picture",
    "step-duration",
    f"at least {BASE_SECONDS:g} s, {SECONDS_PER_WORD:g} s a word, {HEADING_PAUSE_SECONDS:g} s for"
    " a heading, unless given or narrated",
)


def motion_checks(timeline: Sequence[Step], *, fps: int) -> Iterator[Check]:
    """Yield the checks of a manifest's ``timeline``.

    The renderer limits what an author asks of zooms and pans, so there is no excuse for
    more; where an author places a picture or says how long a crossfade takes, that holds.

    Raises:
        KeyError: It is no timeline; so for TypeError and ValueError.
    """
    yield _durations(timeline, fps)
    if not all("motions" in step for step in timeline):
        for rule in (ZOOMS, PANS, TOGETHER, CROSSFADES, PICTURES):
            yield rule.not_applicable("of an earlier version, which did not tell")
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
        return ZOOMS.not_applicable("nothing zooms")
    factors = [float(move["factor"]) for _, move in zooms]
    shortest = min(float(step["durationSec"]) for step, _ in zooms)
    right = ZOOM[0] - _ROUNDING <= min(factors) and max(factors) <= ZOOM[1] + _ROUNDING
    told = f"{len(zooms)}: by {min(factors):g} to {max(factors):g}, in {shortest:.1f} s and more"
    return ZOOMS.check(told, holds=right and shortest >= ZOOM_SECONDS - 0.5 / fps)


def _pans(timeline: Sequence[Step]) -> Check:
    ways = [float(move["way"]) for _, move in _moves(timeline, "zoom", "pan") if move["way"]]
    if not ways:
        return PANS.not_applicable("nothing pans")
    return PANS.check(f"{len(ways)}: up to {max(ways):.1%}", holds=max(ways) <= PAN + _ROUNDING)


def _most_at_once(step: Step) -> int:
    moving: list[tuple[float, float]] = []
    for owner in _owners(step):
        spans = [(float(move["startSec"]), float(move["endSec"]), move["type"]) for move in owner]
        slides = [span for span in spans if span[2] == "slide"]
        for start, end, kind in spans:
            # A soft slide fades in, too: that is one motion.
            softly = kind == "fade" and any(start < to and since < end for since, to, _ in slides)
            if not softly:
                moving.append((start, end))
    return max((sum(a <= start < b for a, b in moving) for start, _ in moving), default=0)


def _crossfades(timeline: Sequence[Step], fps: int) -> Check:
    fades = [step for step in timeline if (step["transition"] or {}).get("in") == "crossfade"]
    if not fades:
        return CROSSFADES.not_applicable("no crossfade")
    lengths = [float(step["transition"]["durationSec"]) for step in fades]
    other = [
        step
        for step, length in zip(fades, lengths, strict=True)
        if abs(length - min(TRANSITION_SECONDS, float(step["durationSec"]) / 2)) > 1 / fps
    ]
    told = f"{len(fades)}: {min(lengths):.2f} to {max(lengths):.2f} s"
    excused = all(step["transition"].get("given") for step in other)
    return CROSSFADES.check(told, holds=not other, excused=excused)


def _pictures(timeline: Sequence[Step]) -> Check:
    shown = [(step, picture) for step in timeline for picture in step["pictures"]]
    if not shown:
        return PICTURES.not_applicable("no picture but backgrounds")
    margins = [_margin(picture["box"]) for _, picture in shown]
    outside = [
        pair
        for pair, margin in zip(shown, margins, strict=True)
        if margin < PICTURE_SAFE - _ROUNDING
    ]
    told = f"{len(shown)}: {100 * min(margins):.1f} % or more"
    asked = [
        picture["placed"] == "given" or step["layout"] == "full-bleed" for step, picture in outside
    ]
    return PICTURES.check(told, holds=not outside, excused=all(asked))


def _margin(box: Mapping[str, Any]) -> float:
    x, y, width, height = (float(box[key]) for key in ("x", "y", "width", "height"))
    return min(x, y, 1 - x - width, 1 - y - height)


def _durations(timeline: Sequence[Step], fps: int) -> Check:
    read = [step for step in timeline if step["durationSource"] == "estimate" and "words" in step]
    if not read:
        return DURATIONS.not_applicable("all lengths were given or narrated")
    spare = [
        float(step["durationSec"])
        - BASE_SECONDS
        - SECONDS_PER_WORD * int(step["words"])
        - (HEADING_PAUSE_SECONDS if step["headed"] else 0.0)
        for step in read
    ]
    told = f"{len(read)} steps, the shortest {min(float(s['durationSec']) for s in read):.2f} s"
    return DURATIONS.check(told, holds=min(spare) >= -1 / fps)
