"""Choreography: from the motions of a request to those of a storyboard, within their limits.

The limits keep a film calm and readable: zooms of 1.045 to 1.08 and only where there is time
for them, pans of at most 5 %, three motions at once, nothing that flashes more than three times
a second (WCAG 2.3.1). A note tells the author about everything beyond these limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from app.render.model.request import MotionRequest, Point
from app.render.model.storyboard import Motion, MotionKind, Span

#: Least and greatest factor of a zoom.
ZOOM: Final = (1.045, 1.08)
#: Steps that are shorter have no zoom.
ZOOM_SECONDS: Final = 2.5
#: Longest way of a pan, as a share of the picture.
PAN: Final = 0.05
#: So many motions of a step go on at once.
AT_ONCE: Final = 3
#: Shortest fade and shortest turn of a pulse: three flashes a second are two changes each.
FADE_SECONDS: Final = 1 / 6
TURN_SECONDS: Final = 1 / 3

#: Numbers that differ by less are the same: 0.1 + 0.2 is more than 0.3.
_TOLERANCE: Final = 1e-9
#: Length of a motion that has no end: an entrance's, and that of a turn.
_ENTRANCE: Final = 0.6
_TURN: Final = 1.0
_FACTOR: Final = 1.06
_PULSE: Final = 1.04
_SOFT: Final = 0.05
_DIRECTIONS: Final = {
    "left": (-1.0, 0.0),
    "right": (1.0, 0.0),
    "up": (0.0, -1.0),
    "down": (0.0, 1.0),
}
_ENTRANCES: Final = frozenset({"fade", "slide", "soft_slide_in"})
_TURNING: Final = frozenset({"pulse", "highlight"})

#: A motion and its owner: a picture's number, or ``STEP``.
Wish = tuple[int, MotionRequest]


@dataclass(slots=True)
class Choreography:
    """Motions by their owner: a picture's number, or ``STEP``; and notes for the author."""

    motions: dict[int, tuple[Motion, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


#: The owner of motions of a whole step.
STEP: Final = -1


def choreograph(wishes: Sequence[Wish], *, frames: int, fps: int) -> Choreography:
    """Return the motions of a step.

    Args:
        wishes: Motions with their owners, in any order.
        frames: Length of the step.
        fps: Frames a second.
    """
    return _Choreographer(frames, fps).take(wishes)


class _Choreographer:
    def __init__(self, frames: int, fps: int) -> None:
        self._frames, self._fps = frames, fps
        self._notes: dict[str, None] = {}

    def take(self, wishes: Sequence[Wish]) -> Choreography:
        found: list[tuple[int, tuple[Motion, ...]]] = []
        for owner, wish in wishes:
            span = self._span(wish)
            if wish.type == "hold" or span is None:
                continue
            makes = _MAKERS[wish.type](self, wish, span)
            if makes:
                found.append((owner, makes))
        found.sort(key=lambda pair: pair[1][0].span.start)
        result = Choreography()
        for owner, makes in self._at_once(self._in_turn(found)):
            result.motions[owner] = (*result.motions.get(owner, ()), *makes)
        result.notes = list(self._notes)
        return result

    def _note(self, text: str) -> None:
        self._notes[text] = None

    def _span(self, wish: MotionRequest) -> Span | None:
        start = round(wish.start_seconds * self._fps)
        given = wish.end_seconds
        end = self._end(wish, start) if given is None else round(given * self._fps)
        start, end = min(start, self._frames), min(end, self._frames)
        if start >= end:
            self._note(f"its {wish.type} begins after its end and is left out")
            return None
        return Span(start, end)

    def _end(self, wish: MotionRequest, start: int) -> int:
        if wish.type in _ENTRANCES:
            return start + round(_ENTRANCE * self._fps)
        if wish.type in _TURNING:
            seconds = (wish.period_seconds or _TURN) * (wish.repeat_count or 1)
            return start + max(1, round(float(seconds) * self._fps))
        return self._frames

    def _in_turn(
        self, found: list[tuple[int, tuple[Motion, ...]]]
    ) -> list[tuple[int, tuple[Motion, ...]]]:
        """Let motions of a kind follow each other; a fade is never a flash."""
        ends: dict[tuple[int, MotionKind], int] = {}
        result = []
        for owner, makes in found:
            moved = []
            for motion in makes:
                key = (owner, motion.kind)
                start = max(motion.span.start, ends.get(key, 0))
                least = math.ceil(FADE_SECONDS * self._fps) if motion.kind == "fade" else 1
                end = max(motion.span.end, start + least)
                ends[key] = end
                if start < self._frames:
                    moved.append(replace(motion, span=Span(start, end)))
            if moved:
                result.append((owner, tuple(moved)))
        return result

    def _at_once(
        self, found: list[tuple[int, tuple[Motion, ...]]]
    ) -> list[tuple[int, tuple[Motion, ...]]]:
        kept: list[tuple[int, tuple[Motion, ...]]] = []
        for owner, makes in sorted(found, key=lambda pair: pair[1][0].span.start):
            start = makes[0].span.start
            busy = sum(any(m.span.end > start for m in others) for _, others in kept)
            if busy < AT_ONCE:
                kept.append((owner, makes))
        if len(kept) < len(found):
            self._note(
                f"has more than {AT_ONCE} motions at once: {len(found) - len(kept)} stand still"
            )
        return kept

    def fade(self, wish: MotionRequest, span: Span) -> tuple[Motion, ...]:
        start, end = _amount(wish.before), _amount(wish.after)
        if start is None:
            start = 0.0 if end is None or end > 0 else 1.0
        if end is None:
            end = 0.0 if start >= 1 else 1.0
        return (Motion("fade", span, wish.easing or "linear", (start, 0, 0), (end, 0, 0)),)

    def slide(self, wish: MotionRequest, span: Span) -> tuple[Motion, ...]:
        easing = wish.easing or "easeOutQuad"
        start, end = _place(wish.before), _place(wish.after)
        if start is not None or end is not None:
            before, after = (
                (0.0, 0.0, 0.0) if place is None else (1.0, *place) for place in (start, end)
            )
            return (Motion("slide", span, easing, before, after),)
        x, y = _DIRECTIONS[wish.direction or "left"]
        way = 1.0 if wish.distance is None else wish.distance
        return (Motion("slide", span, easing, (0.0, -x * way, -y * way), (0.0, 0.0, 0.0)),)

    def soft_slide_in(self, wish: MotionRequest, span: Span) -> tuple[Motion, ...]:
        gentle = replace(
            wish,
            before=None,
            after=None,
            direction=wish.direction or "up",
            distance=_SOFT if wish.distance is None else wish.distance,
        )
        return (*self.slide(gentle, span), *self.fade(MotionRequest("fade"), span))

    def pulse(self, wish: MotionRequest, span: Span) -> tuple[Motion, ...]:
        peak = min(max(_amount(wish.after) or _PULSE, 1.0), ZOOM[1])
        turns = self._turns(wish, span)
        return (Motion("pulse", span, "linear", (1.0, 0, 0), (peak, 0, 0), turns=turns),)

    def highlight(self, wish: MotionRequest, span: Span) -> tuple[Motion, ...]:
        turning = wish.period_seconds is not None or wish.repeat_count is not None
        turns = self._turns(wish, span) if turning else 0
        return (Motion("highlight", span, "linear", turns=turns),)

    def _turns(self, wish: MotionRequest, span: Span) -> int:
        seconds = (span.end - span.start) / self._fps
        asked = wish.repeat_count or max(1, round(seconds / (wish.period_seconds or _TURN)))
        most = max(1, int(seconds / TURN_SECONDS + _TOLERANCE))
        if asked > most:
            self._note(f"its {wish.type} turns {most} times, not {asked}: it would flicker")
        return int(min(asked, most))

    def zoom(self, wish: MotionRequest, span: Span) -> tuple[Motion, ...]:
        kind = wish.type
        if self._frames < ZOOM_SECONDS * self._fps - 0.5:
            self._note(f"lasts less than {ZOOM_SECONDS} s: its {kind} stands still")
            return ()
        start, end = self._factors(wish)
        before, after = (start, 0.0, 0.0), (end, 0.0, 0.0)
        if kind == "ken_burns":
            x, y = self._travel(wish, spare=abs(end - start))
            before = (start, 0.0, 0.0) if end >= start else (start, -x, -y)
            after = (end, x, y) if end >= start else (end, 0.0, 0.0)
        place = wish.anchor or _place(wish.after) or _place(wish.before)
        easing = wish.easing or "easeInOutSine"
        return (
            Motion(
                "zoom", span, easing, before, after,
                anchor=None if kind == "ken_burns" else place, centring=kind == "focus_zoom",
            ),
        )  # fmt: skip

    def _factors(self, wish: MotionRequest) -> tuple[float, float]:
        """Return the factors at start and end, of which the lesser is 1."""
        start = _amount(wish.before) or 1.0
        end = _amount(wish.after) or (_FACTOR if start == 1 else 1.0)
        ratio = max(start, end) / min(start, end)
        kept = min(max(ratio, ZOOM[0]), ZOOM[1])
        if abs(kept - ratio) > _TOLERANCE:
            self._note(f"its {wish.type} is by {kept:g}, not {ratio:.3g}")
        return (1.0, kept) if end >= start else (kept, 1.0)

    def pan(self, wish: MotionRequest, span: Span) -> tuple[Motion, ...]:
        x, y = self._way(wish)
        room = 1 + max(abs(x), abs(y))
        before, after = (room, -x / 2, -y / 2), (room, x / 2, y / 2)
        return (Motion("pan", span, wish.easing or "easeInOutSine", before, after),)

    def _travel(self, wish: MotionRequest, *, spare: float) -> Point:
        """Return how far a picture goes that is moved and zoomed at once.

        At factor 1 it fills its window and cannot move; at ``1 + spare`` it can move by half
        of ``spare`` to each side. A way within these bounds is one straight line.
        """
        x, y = self._way(wish)
        share = min(1.0, spare / 2 / max(abs(x), abs(y), _TOLERANCE))
        return x * share, y * share

    def _way(self, wish: MotionRequest) -> Point:
        """Return the way of a picture: against that of the view, where places are given."""
        start, end = _place(wish.before), _place(wish.after)
        if start is not None and end is not None:
            way = (start[0] - end[0], start[1] - end[1])
        else:
            x, y = _DIRECTIONS[wish.direction or "left"]
            far = PAN if wish.distance is None else wish.distance
            way = (x * far, y * far)
        longest = max(abs(way[0]), abs(way[1]))
        if longest <= PAN + _TOLERANCE:
            return way
        self._note(f"its {wish.type} goes {PAN:g} of the picture, not {longest:g}")
        return way[0] * PAN / longest, way[1] * PAN / longest


_MAKERS: Final[dict[str, Callable[[_Choreographer, MotionRequest, Span], tuple[Motion, ...]]]] = {
    "fade": _Choreographer.fade,
    "slide": _Choreographer.slide,
    "soft_slide_in": _Choreographer.soft_slide_in,
    "zoom": _Choreographer.zoom,
    "focus_zoom": _Choreographer.zoom,
    "ken_burns": _Choreographer.zoom,
    "pan": _Choreographer.pan,
    "pulse": _Choreographer.pulse,
    "highlight": _Choreographer.highlight,
}


def _amount(value: float | Point | None) -> float | None:
    return None if isinstance(value, tuple) else value


def _place(value: float | Point | None) -> Point | None:
    return value if isinstance(value, tuple) else None
