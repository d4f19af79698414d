from __future__ import annotations

import numpy as np
import pytest

from app.render.model.storyboard import Transition, TransitionKind
from app.render.picture.transitions import drawn, share

BEFORE = np.full((20, 40, 3), 200, np.uint8)
NOW = np.full((20, 40, 3), 100, np.uint8)
LENGTH = 9


def frames(kind: TransitionKind, *, first: bool = False) -> list[np.ndarray]:
    given = Transition(kind, LENGTH)
    return [drawn(given, frame, None if first else BEFORE, NOW) for frame in range(LENGTH)]


def test_a_step_is_there_a_little_from_its_first_frame_and_all_after_its_transition() -> None:
    shares = [share(Transition("fade", 3), frame) for frame in range(5)]
    assert shares == [0.25, 0.5, 0.75, 1, 1]
    assert share(None, 0) == 1


def test_a_crossfade_goes_evenly_from_one_to_the_other() -> None:
    levels = [int(frame[0, 0, 0]) for frame in frames("crossfade")]
    assert levels == [190, 180, 170, 160, 150, 140, 130, 120, 110]


def test_a_fade_goes_through_black() -> None:
    levels = [int(frame[0, 0, 0]) for frame in frames("fade")]
    assert levels == [160, 120, 80, 40, 0, 20, 40, 60, 80]


@pytest.mark.parametrize("kind", ["fade", "crossfade"])
def test_the_first_step_comes_out_of_black(kind: TransitionKind) -> None:
    levels = [int(frame[0, 0, 0]) for frame in frames(kind, first=True)]
    assert levels == [10, 20, 30, 40, 50, 60, 70, 80, 90]


@pytest.mark.parametrize(("kind", "comes_from"), [("slide-left", 39), ("slide-right", 0)])
def test_a_slide_pushes_the_step_before_out(kind: TransitionKind, comes_from: int) -> None:
    widths = []
    for frame in frames(kind):
        assert frame.shape == NOW.shape
        row = frame[0, :, 0]
        if (row == 100).any():
            assert row[comes_from] == 100
        widths.append(int((row == 100).sum()))
    assert widths == sorted(widths)
    assert 0 <= widths[0] < 5
    assert widths[4] == 20


def test_a_slide_of_the_first_step_comes_from_black() -> None:
    assert set(np.unique(frames("slide-left", first=True)[4])) == {0, 100}
