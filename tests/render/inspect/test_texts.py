from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from app.render.inspect.texts import TextMeter, ground_of, quantile
from app.render.model.storyboard import Background, Box, Span, Storyboard, TextLayer, Transition
from app.render.picture.compose import Compositor, Run, runs
from tests.render.films import make_film, make_step


def film(*texts: TextLayer, transition: Transition | None = None) -> Storyboard:
    step = replace(make_step(frames=30), texts=texts, transition=transition)
    return make_film(step, width=640, height=360)


def text(role: str = "body", box: Box | None = None) -> TextLayer:
    return TextLayer(role, "Place the board.", "center", Span(0, 30), box=box)


def measured(storyboard: Storyboard, *, fade: float = 1.0) -> dict[str, tuple[str, str]]:
    """Draw a film, its colours drawn together by ``fade``, and measure it."""
    meter, compositor = TextMeter(storyboard), Compositor(storyboard)
    for run in runs(storyboard):
        picture = compositor.picture(run).astype(np.float32)
        meter.add(meter.measured((picture * fade + (1 - fade) * 100).astype(np.uint8), run))
    return {check.rule: (check.outcome, check.measured) for check in meter.checks()}


def test_what_is_drawn_can_be_read() -> None:
    found = measured(film(text("heading"), text()))
    assert {found[rule][0] for rule in found} == {"ok"}
    assert "8.0%" in found["text-safe-area"][1]
    # (245, 241, 230) on (20, 30, 60) is 14.5:1 by WCAG's own formula.
    assert "14.5:1" in found["contrast-body"][1]


@pytest.mark.parametrize("offset", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
def test_letters_are_found_wherever_they_stand(offset: float) -> None:
    box = Box((60 + offset) / 640, (60 + offset) / 360, 0.8, 0.6)
    found = measured(film(text("title", box)))
    assert "14.5:1" in found["contrast-accent"][1]


def test_letters_that_fade_into_the_ground_are_found() -> None:
    found = measured(film(text("heading"), text()), fade=0.3)
    assert found["contrast-body"][0] == found["contrast-accent"][0] == "broken"
    assert "Place the board." in found["contrast-body"][1]


def test_texts_that_were_not_drawn_are_not_measured() -> None:
    storyboard = film(text())
    found = {check.rule: check.outcome for check in TextMeter(storyboard).checks()}
    assert found["contrast-body"] == "not applicable"
    assert found["text-size"] == "ok"


def test_a_moment_within_a_transition_is_not_measured() -> None:
    storyboard = film(text(), transition=Transition("fade", 30))
    meter = TextMeter(storyboard)
    meter.add(meter.measured(np.zeros((360, 640, 3), np.uint8), Run(0, 0, 30)))
    assert {c.rule: c.outcome for c in meter.checks()}["contrast-body"] == "not applicable"


def test_a_film_without_texts_has_nothing_to_measure() -> None:
    found = measured(film())
    assert {outcome for outcome, _ in found.values()} == {"not applicable"}


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128)])
def test_texts_can_be_read_on_any_plain_ground(colour: tuple[int, int, int]) -> None:
    storyboard = film(text(), text("heading"))
    step = replace(storyboard.steps[0], background=Background(colour))
    found = measured(replace(storyboard, steps=(step,)))
    assert (found["contrast-body"][0], found["contrast-accent"][0]) == ("ok", "ok")


def test_ground_lies_within_three_pixels_of_a_letter_up_to_the_edges() -> None:
    random = np.random.default_rng(7)
    letters = random.choice([0, 90, 249, 250, 255], (60, 90), p=[0.96, 0.01, 0.01, 0.01, 0.01])
    letters = letters.astype(np.uint8)
    letters[0, 0] = letters[-1, -1] = 255
    near = np.asarray(Image.fromarray(letters).filter(ImageFilter.MaxFilter(7)))
    ground = ground_of(letters)
    assert np.array_equal(ground, (letters == 0) & (near >= 250))
    assert ground[3, 3]
    assert 0.1 < ground.mean() < 0.9


@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 2, 99, 1000])
def test_quantiles_are_those_of_numpy(part: float, count: int) -> None:
    values = np.random.default_rng(count).random(count).astype(np.float32)
    assert quantile(values, part) == pytest.approx(float(np.quantile(values, part)), rel=1e-6)
