"""Motion: where a layer stands at a frame. Pure functions, no pixels.

A :class:`Pose` is what motions say at one frame, in fractions; the two
functions below turn it into pixels for the window that a picture is seen
through. Easings are Robert Penner's (http://robertpenner.com/easing/).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.render.model.areas import Rect
from app.render.model.storyboard import Easing, Motion, MotionKind

_HALF: Final = 0.5
#: Name of an easing → share of the way at a share of the time, both 0 to 1.
EASINGS: Final[dict[Easing, Callable[[float], float]]] = {
    "linear": lambda t: t,
    "easeInQuad": lambda t: t * t,
    "easeOutQuad": lambda t: t * (2 - t),
    "easeInOutSine": lambda t: (1 - math.cos(math.pi * t)) / 2,
    "easeInOutCubic": lambda t: 4 * t**3 if t < _HALF else 1 - (2 - 2 * t) ** 3 / 2,
}
#: A highlight without turns comes and goes in this share of its span each.
_RAMP: Final = 0.15
#: Values are rounded to so many digits: frames that differ by less are equal.
_DIGITS: Final = 7


@dataclass(frozen=True, slots=True)
class Pose:
    """What a layer's motions say at one frame.

    Attributes:
        opacity: 0 to 255.
        slide: Share that is a place (0 to 1), and a way in fractions of the frame.
        swell: Factor of the whole layer around its middle.
        zoom: Factor of what is seen in its window, around the anchor.
        drift: Way of what is seen in its window, in fractions of the window.
        anchor: Place of the frame that the zoom keeps still; None is the window's middle.
        centring: Greatest factor of a zoom that brings its anchor to the middle; else 0.
        highlight: Opacity of the layer's outline, 0 to 255.
    """

    opacity: int = 255
    slide: tuple[float, float, float] = (0.0, 0.0, 0.0)
    swell: float = 1.0
    zoom: float = 1.0
    drift: tuple[float, float] = (0.0, 0.0)
    anchor: tuple[float, float] | None = None
    centring: float = 0.0
    highlight: int = 0


#: A layer that stands where it was placed.
REST: Final = Pose()


@dataclass(frozen=True, slots=True)
class Affine:
    """Takes a point p to ``scale`` · p + (``x``, ``y``), in pixels."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def of(self, rect: Rect) -> Rect:
        """Return where ``rect`` goes."""
        return Rect(
            rect.x * self.scale + self.x,
            rect.y * self.scale + self.y,
            rect.width * self.scale,
            rect.height * self.scale,
        )

    def after(self, first: Affine) -> Affine:
        """Return ``first`` and then this."""
        return Affine(
            self.scale * first.scale,
            self.scale * first.x + self.x,
            self.scale * first.y + self.y,
        )


#: Moves nothing.
STILL: Final = Affine()


def progress(motion: Motion, frame: int) -> float:
    """Return the share of the way that ``motion`` has gone at ``frame`` of its step."""
    span = motion.span
    share = min(max((frame - span.start) / max(1, span.end - span.start), 0.0), 1.0)
    if motion.turns:
        return math.sin(math.pi * motion.turns * share) ** 2
    if motion.kind == "highlight":
        return min(share / _RAMP, (1 - share) / _RAMP, 1.0)
    return EASINGS[motion.easing](share)


def pose(motions: Sequence[Motion], frame: int) -> Pose:
    """Return what ``motions`` of one layer say at ``frame``: of each kind, the latest begun."""
    if not motions:
        return REST
    fade, slide = _values("fade", motions, frame), _values("slide", motions, frame)
    zoom, pan = _values("zoom", motions, frame), _values("pan", motions, frame)
    pulse, shine = _values("pulse", motions, frame), _in_force("highlight", motions, frame)
    zooming = _in_force("zoom", motions, frame)
    peak = max(zooming.before[0], zooming.after[0]) if zooming and zooming.centring else 0.0
    return Pose(
        opacity=255 if fade is None else round(255 * min(max(fade[0], 0.0), 1.0)),
        slide=slide or REST.slide,
        swell=pulse[0] if pulse else 1.0,
        zoom=round((zoom[0] if zoom else 1.0) * (pan[0] if pan else 1.0), _DIGITS),
        drift=tuple(sum(v[axis] for v in (zoom, pan) if v) for axis in (1, 2)),  # type: ignore[arg-type]  # two axes
        anchor=zooming.anchor if zooming else None,
        centring=peak,
        highlight=round(255 * progress(shine, frame)) if shine else 0,
    )


def _in_force(kind: MotionKind, motions: Sequence[Motion], frame: int) -> Motion | None:
    same = [motion for motion in motions if motion.kind == kind]
    begun = [motion for motion in same if motion.span.start <= frame]
    return begun[-1] if begun else next(iter(same), None)


def _values(
    kind: MotionKind, motions: Sequence[Motion], frame: int
) -> tuple[float, float, float] | None:
    motion = _in_force(kind, motions, frame)
    if motion is None:
        return None
    share = progress(motion, frame)
    pairs = zip(motion.before, motion.after, strict=True)
    amount, x, y = (round(a + (b - a) * share, _DIGITS) for a, b in pairs)
    return amount, x, y


def within(stand: Pose, window: Rect, *, width: int, height: int) -> Affine:
    """Return how what is seen in ``window`` moves; it never leaves a part of it empty."""
    if stand.zoom == 1.0:
        return STILL
    near = (window.x / width, window.y / height)
    share = (window.width / width, window.height / height)
    ways = []
    for axis in (0, 1):
        anchor = 0.5 if stand.anchor is None else (stand.anchor[axis] - near[axis]) / share[axis]
        if stand.centring > 1:
            anchor = (stand.centring * anchor - 0.5) / (stand.centring - 1)
        anchor, spare = min(max(anchor, 0.0), 1.0), stand.zoom - 1
        way = min(max(stand.drift[axis], -(1 - anchor) * spare), anchor * spare)
        ways.append(way - anchor * spare)  # of the window's near edge
    x = window.x + ways[0] * window.width - stand.zoom * window.x
    y = window.y + ways[1] * window.height - stand.zoom * window.y
    return Affine(stand.zoom, x, y)


def whole(stand: Pose, window: Rect, *, width: int, height: int) -> Affine:
    """Return how ``window`` moves, with all that is seen in it."""
    middle = (window.x + window.width / 2, window.y + window.height / 2)
    place, x, y = stand.slide
    x, y = x * width - place * middle[0], y * height - place * middle[1]
    rest = 1 - stand.swell
    return Affine(stand.swell, x + rest * middle[0], y + rest * middle[1])
