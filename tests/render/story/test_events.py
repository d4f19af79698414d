from __future__ import annotations

from typing import Any

import pytest

from app.render.model.storyboard import Box, Span, Transition
from app.render.story.events import callouts, transition
from tests.render.requests import step_of


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, None),
        ({"in": "cut", "durationSec": 1}, None),
        ({"in": "crossfade"}, Transition("crossfade", 15)),
        ({"in": "fade", "durationSec": 0.2}, Transition("fade", 6)),
        ({"in": "fade", "durationSec": 0}, None),
        ({"in": "slide-left", "durationSec": 2}, Transition("slide-left", 30)),
    ],
)
def test_a_transition_has_half_a_second_or_what_is_given_and_at_most_half_of_its_step(
    wish: dict[str, Any], expected: Transition | None
) -> None:
    assert transition(step_of(transition=wish).transition, frames=60, fps=30) == expected


def test_callouts_are_boxes_that_fade_in_when_they_appear() -> None:
    target = {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}
    wishes: list[dict[str, Any]] = [
        {"target": target, "appearSec": 1},
        {"kind": "pill", "label": "A", "target": target},
    ]
    found, notes = callouts(step_of(callouts=wishes).callouts, frames=60, fps=24)
    assert [(c.kind, c.label, c.motion.span) for c in found] == [
        ("box", "", Span(24, 30)),
        ("pill", "A", Span(0, 6)),
    ]
    assert found[0].target == Box(0.1, 0.2, 0.3, 0.4)
    assert not notes


def test_a_callout_that_comes_after_the_step_is_left_out_and_told() -> None:
    step = step_of(callouts=[{"target": {"x": 0, "y": 0}, "appearSec": 2}])
    found, notes = callouts(step.callouts, frames=60, fps=30)
    assert found == ()
    assert notes == ["a callout appears after its end and is left out"]
