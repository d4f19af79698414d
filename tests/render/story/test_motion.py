from __future__ import annotations

from typing import Any, get_args

import pytest

from app.render.model.areas import Rect
from app.render.model.storyboard import Easing, Motion, MotionKind, Span
from app.render.story.motion import (
    EASINGS,
    REST,
    STILL,
    Affine,
    Pose,
    pose,
    progress,
    whole,
    within,
)

WINDOW = Rect(320, 180, 640, 360)
FRAME = {"width": 1280, "height": 720}


def motion(kind: MotionKind = "zoom", **changes: Any) -> Motion:
    given: dict[str, Any] = {"span": Span(10, 30), "easing": "linear", **changes}
    return Motion(kind, **given)


@pytest.mark.parametrize("name", get_args(Easing))
def test_every_easing_goes_all_the_way_and_never_back(name: Easing) -> None:
    values = [EASINGS[name](step / 100) for step in range(101)]
    assert values[0] == pytest.approx(0)
    assert values[-1] == pytest.approx(1)
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("name", "quarter"),
    [
        ("linear", 0.25), ("easeInQuad", 0.0625), ("easeOutQuad", 0.4375),
        ("easeInOutSine", 0.1464466), ("easeInOutCubic", 0.0625),
    ],
)  # fmt: skip
def test_an_easing_has_the_course_of_its_name(name: Easing, quarter: float) -> None:
    assert EASINGS[name](0.25) == pytest.approx(quarter)


def test_the_two_sided_easings_are_even() -> None:
    for name in ("linear", "easeInOutSine", "easeInOutCubic"):
        assert EASINGS[name](0.8) == pytest.approx(1 - EASINGS[name](0.2))


def test_a_motion_stands_before_and_after_its_span() -> None:
    assert [progress(motion(), frame) for frame in (0, 10, 20, 30, 99)] == [0, 0, 0.5, 1, 1]


def test_a_pulse_comes_back_as_often_as_it_turns() -> None:
    pulse = motion("pulse", after=(1.08, 0, 0), turns=2)
    swells = [pose([pulse], frame).swell for frame in (0, 10, 15, 20, 25, 30, 50)]
    assert swells == pytest.approx([1, 1, 1.08, 1, 1.08, 1, 1])


def test_a_highlight_comes_stays_and_goes() -> None:
    shine = motion("highlight")
    assert [pose([shine], frame).highlight for frame in (0, 10, 20, 30, 40)] == [0, 0, 255, 0, 0]


def test_what_has_no_motions_is_at_rest() -> None:
    assert pose([], 5) is REST


def test_of_each_kind_the_motion_that_began_last_counts() -> None:
    come = motion("fade", span=Span(0, 10), before=(0, 0, 0), after=(1, 0, 0))
    go = motion("fade", span=Span(20, 30), before=(1, 0, 0), after=(0, 0, 0))
    opacities = [pose([come, go], frame).opacity for frame in (0, 5, 10, 19, 25, 30, 40)]
    assert opacities == [0, 128, 255, 255, 128, 0, 0]


def test_kinds_add_up() -> None:
    zoom = motion("zoom", after=(1.08, 0, 0))
    pan = motion("pan", before=(1.05, -0.02, 0), after=(1.05, 0.02, 0))
    fade = motion("fade", before=(0, 0, 0))
    found = pose([zoom, pan, fade], 30)
    assert found.zoom == pytest.approx(1.08 * 1.05)
    assert (found.drift, found.opacity) == ((0.02, 0.0), 255)


def test_nothing_moves_at_rest() -> None:
    assert within(REST, WINDOW, **FRAME) == whole(REST, WINDOW, **FRAME) == STILL


@pytest.mark.parametrize("anchor", [None, (0.25, 0.25), (0.4, 0.6), (0.0, 1.0), (0.75, 0.75)])
@pytest.mark.parametrize("drift", [(0.0, 0.0), (0.5, -0.5), (-0.01, 0.02)])
@pytest.mark.parametrize("centring", [0.0, 1.08])
@pytest.mark.parametrize("zoom", [1.001, 1.05, 1.08])
def test_no_zoom_leaves_a_part_of_its_window_empty(
    anchor: tuple[float, float] | None, drift: tuple[float, float], centring: float, zoom: float
) -> None:
    found = Pose(zoom=zoom, drift=drift, anchor=anchor, centring=centring)
    seen = within(found, WINDOW, **FRAME).of(WINDOW)
    assert seen.x <= WINDOW.x + 1e-6
    assert seen.y <= WINDOW.y + 1e-6
    assert seen.right >= WINDOW.right - 1e-6
    assert seen.bottom >= WINDOW.bottom - 1e-6


def test_a_zoom_keeps_its_anchor_still() -> None:
    way = within(Pose(zoom=1.08, anchor=(0.5, 0.4)), WINDOW, **FRAME)
    spot = way.of(Rect(640, 288, 0, 0))
    assert (spot.x, spot.y) == pytest.approx((640, 288))


def test_a_focus_comes_to_the_middle_as_far_as_the_picture_reaches() -> None:
    near = within(Pose(zoom=1.08, anchor=(0.51, 0.49), centring=1.08), WINDOW, **FRAME)
    spot = near.of(Rect(0.51 * 1280, 0.49 * 720, 0, 0))
    assert (spot.x, spot.y) == pytest.approx((640, 360))
    far = within(Pose(zoom=1.08, anchor=(0.75, 0.5), centring=1.08), WINDOW, **FRAME)
    assert far.of(WINDOW).right == pytest.approx(WINDOW.right)


def test_a_slide_goes_a_way_of_the_frame() -> None:
    way = whole(Pose(slide=(0.0, 0.1, -0.2)), WINDOW, **FRAME)
    assert way == Affine(1.0, 128.0, -144.0)


def test_a_slide_to_a_place_brings_the_middle_there() -> None:
    spot = whole(Pose(slide=(1.0, 0.1, 0.9)), WINDOW, **FRAME).of(WINDOW)
    assert (spot.x + spot.width / 2, spot.y + spot.height / 2) == pytest.approx((128, 648))


def test_a_swell_grows_around_the_middle() -> None:
    grown = whole(Pose(swell=1.1), WINDOW, **FRAME).of(WINDOW)
    assert (grown.x + grown.width / 2, grown.width) == pytest.approx((640, 704))


def test_ways_follow_each_other() -> None:
    first, second, spot = Affine(1.1, 5, -3), Affine(0.9, -2, 7), Rect(10, 20, 30, 40)
    both, apart = second.after(first).of(spot), second.of(first.of(spot))
    assert (both.x, both.y, both.width) == pytest.approx((apart.x, apart.y, apart.width))
