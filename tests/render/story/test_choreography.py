from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from app.render.model.areas import Rect
from app.render.model.request import MotionRequest
from app.render.model.storyboard import Motion, Span
from app.render.story.choreography import STEP, Choreography, choreograph
from app.render.story.motion import EASINGS, pose, within
from tests.render.requests import step_of

FPS = 30


def motion_of(wish: dict[str, Any]) -> MotionRequest:
    motion = step_of(motion=wish).motion
    assert motion is not None
    return motion


def moves(*wishes: dict[str, Any], frames: int = 150, fps: int = FPS) -> Choreography:
    return choreograph([(0, motion_of(wish)) for wish in wishes], frames=frames, fps=fps)


def single(wish: dict[str, Any], **film: int) -> Motion:
    (motion,) = moves(wish, **film).motions[0]
    return motion


def test_hold_moves_nothing() -> None:
    assert moves({"type": "hold"}) == Choreography()


def test_times_are_snapped_to_frames() -> None:
    assert single({"type": "fade", "startSec": 0.51, "endSec": 1.99}).span == Span(15, 60)


@pytest.mark.parametrize(
    ("wish", "span"),
    [
        ({"type": "fade"}, Span(0, 18)),
        ({"type": "slide", "startSec": 1}, Span(30, 48)),
        ({"type": "zoom", "startSec": 1}, Span(30, 150)),
        ({"type": "pan"}, Span(0, 150)),
        ({"type": "pulse"}, Span(0, 30)),
        ({"type": "pulse", "periodSec": 0.5, "repeatCount": 3}, Span(0, 45)),
        ({"type": "pulse", "periodSec": 10}, Span(0, 150)),
    ],
)
def test_a_motion_without_an_end_has_the_length_of_its_kind(
    wish: dict[str, Any], span: Span
) -> None:
    assert single(wish).span == span


@pytest.mark.parametrize(
    ("given", "before", "after"),
    [
        ({}, 0, 1), ({"to": 0}, 1, 0), ({"from": 1}, 1, 0), ({"from": 0.2, "to": 0.7}, 0.2, 0.7),
        ({"from": 0.3}, 0.3, 1),
    ],
)  # fmt: skip
def test_a_fade_comes_or_goes(given: dict[str, Any], before: float, after: float) -> None:
    motion = single({"type": "fade", **given})
    assert (motion.before[0], motion.after[0]) == (before, after)


@pytest.mark.parametrize(
    ("given", "before", "after", "noted"),
    [
        ({}, 1, 1.06, False),
        ({"to": 1.08}, 1, 1.08, False),
        ({"from": 1.05}, 1.05, 1, False),
        ({"from": 0.5, "to": 1}, 1, 1.08, True),
        ({"to": 4}, 1, 1.08, True),
        ({"to": 1.01}, 1, 1.045, True),
        ({"from": 2, "to": 1}, 1.08, 1, True),
    ],
)
@pytest.mark.parametrize("kind", ["zoom", "focus_zoom", "ken_burns"])
def test_a_zoom_stays_in_its_limits_and_says_so(
    kind: str, given: dict[str, Any], before: float, after: float, *, noted: bool
) -> None:
    found = moves({"type": kind, **given})
    (motion,) = found.motions[0]
    assert (motion.before[0], motion.after[0]) == pytest.approx((before, after))
    assert bool(found.notes) is noted


@pytest.mark.parametrize(("frames", "count"), [(74, 0), (75, 1)])
def test_a_step_of_less_than_two_and_a_half_seconds_has_no_zoom(frames: int, count: int) -> None:
    found = moves({"type": "zoom"}, frames=frames)
    assert len(found.motions) == count
    assert found.notes == ([] if count else ["lasts less than 2.5 s: its zoom stands still"])


def test_a_zoom_has_its_anchor_from_what_is_given() -> None:
    place = {"x": 0.2, "y": 0.3}
    assert single({"type": "zoom", "anchor": place}).anchor == (0.2, 0.3)
    focus = single({"type": "focus_zoom", "to": place})
    assert (focus.anchor, focus.centring) == ((0.2, 0.3), True)


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ({}, (-0.05, 0)),
        ({"direction": "down", "distance": 0.02}, (0, 0.02)),
        ({"direction": "right", "distance": 0.5}, (0.05, 0)),
        ({"from": {"x": 0.5, "y": 0.5}, "to": {"x": 0.52, "y": 0.49}}, (-0.02, 0.01)),
    ],
)
def test_a_pan_goes_at_most_a_twentieth(given: dict[str, Any], way: tuple[float, float]) -> None:
    motion = single({"type": "pan", **given})
    gone = [after - before for after, before in zip(motion.after, motion.before, strict=True)]
    assert gone[1:] == pytest.approx(way)


@pytest.mark.parametrize("easing", EASINGS)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"direction": "right", "to": 1.08},
        {"from": 1.06, "to": 1},
        {"direction": "down", "distance": 0.01},
        {"from": {"x": 0.5, "y": 0.5}, "to": {"x": 0.52, "y": 0.47}},
    ],
)
def test_ken_burns_moves_one_way_on_a_straight_line(given: dict[str, Any], easing: str) -> None:
    motion = single({"type": "ken_burns", "easing": easing, **given})
    window = Rect(0, 0, 640, 360)
    middles = []
    for frame in range(FPS * 4 + 1):
        seen = within(pose((motion,), frame), window, width=640, height=360).of(window)
        middles.append((seen.x + seen.width / 2, seen.y + seen.height / 2))
    steps = np.diff(np.array(middles), axis=0)
    way = steps.sum(axis=0)
    assert np.abs(way).max() > 2
    along = steps @ way / np.linalg.norm(way)
    aside = steps @ np.array([-way[1], way[0]]) / np.linalg.norm(way)
    assert along.min() > -1e-3
    assert np.abs(aside).max() < 1e-3


def test_a_pan_that_was_cut_short_is_told() -> None:
    assert moves({"type": "pan", "distance": 0.3}).notes == [
        "its pan goes 0.05 of the picture, not 0.3"
    ]


def test_a_slide_ends_where_the_picture_belongs() -> None:
    motion = single({"type": "slide", "direction": "up", "distance": 0.25})
    assert (motion.before, motion.after) == ((0, 0, 0.25), (0, 0, 0))


def test_a_slide_goes_between_places() -> None:
    motion = single({"type": "slide", "from": {"x": 0.1, "y": 0.2}, "to": {"x": 0.8, "y": 0.9}})
    assert (motion.before, motion.after) == ((1, 0.1, 0.2), (1, 0.8, 0.9))
    assert single({"type": "slide", "to": {"x": 0, "y": 1}}).before == (0, 0, 0)


def test_a_soft_slide_fades_and_counts_as_one() -> None:
    soft = motion_of({"type": "soft_slide_in"})
    found = choreograph([(owner, soft) for owner in range(3)], frames=90, fps=FPS)
    assert not found.notes
    assert [motion.kind for motion in found.motions[2]] == ["slide", "fade"]
    assert found.motions[0][0].before == pytest.approx((0, 0, 0.05))


def test_at_most_three_go_on_at_once_and_the_rest_is_told() -> None:
    wishes = [
        (owner, motion_of({"type": "pan", "startSec": owner / 10, "endSec": 2}))
        for owner in range(5)
    ]
    later = (9, motion_of({"type": "pan", "startSec": 2}))
    fade = (STEP, motion_of({"type": "fade"}))
    found = choreograph([*wishes, later, fade], frames=90, fps=FPS)
    spans = [motion.span for motions in found.motions.values() for motion in motions]
    assert max(sum(s.start <= frame < s.end for s in spans) for frame in range(90)) == 3
    assert 9 in found.motions
    assert found.notes == ["has more than 3 motions at once: 3 stand still"]


def test_motions_of_a_kind_follow_each_other() -> None:
    fades = [
        {"type": "fade", "to": n % 2, "startSec": n / 20, "endSec": n / 20 + 0.05}
        for n in range(20)
    ]
    spans = [motion.span for motion in moves(*fades).motions[0]]
    assert all(one.end <= two.start for one, two in pairwise(spans))


@pytest.mark.parametrize("fps", [24, 25, 30, 60])
def test_nothing_flashes_more_than_three_times_a_second(fps: int) -> None:
    fades = [
        {
            "type": "fade",
            "from": (n + 1) % 2,
            "to": n % 2,
            "startSec": n / 20,
            "endSec": n / 20 + 0.04,
        }
        for n in range(20)
    ]
    motions = moves(*fades, frames=fps * 5, fps=fps).motions[0]
    light = [pose(motions, frame).opacity > 127 for frame in range(fps * 5)]
    changes = [frame for frame in range(1, fps * 5) if light[frame] != light[frame - 1]]
    for start in range(fps * 4):
        assert sum(start <= frame < start + fps for frame in changes) <= 6


def test_a_pulse_that_would_flicker_turns_less_often() -> None:
    found = moves({"type": "pulse", "periodSec": 0.2, "repeatCount": 10})
    assert found.motions[0][0].turns == 6
    assert found.notes == ["its pulse turns 6 times, not 10: it would flicker"]


def test_a_pulse_is_no_larger_than_a_zoom() -> None:
    assert single({"type": "pulse", "to": 3}).after[0] == 1.08
    assert single({"type": "pulse"}).after[0] == 1.04


def test_a_highlight_may_turn() -> None:
    assert single({"type": "highlight"}).turns == 0
    assert single({"type": "highlight", "repeatCount": 2}).turns == 2


def test_what_begins_after_the_step_is_left_out_and_told() -> None:
    found = moves({"type": "fade", "startSec": 5})
    assert found == Choreography({}, ["its fade begins after its end and is left out"])


def test_the_easing_given_is_kept() -> None:
    assert single({"type": "fade", "easing": "easeInOutCubic"}).easing == "easeInOutCubic"
    assert single({"type": "slide"}).easing == "easeOutQuad"
