from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render.model.style import (
    BLACK,
    STYLES,
    WHITE,
    contrast,
    luminance,
    mix,
    pill_colours,
    readable,
    style_of,
)

colours = st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))


def test_contrast_of_black_and_white_is_twenty_one() -> None:
    assert contrast(luminance(BLACK), luminance(WHITE)) == pytest.approx(21)
    # WCAG's own example of a grey that just passes AA on white.
    assert contrast(luminance((118, 118, 118)), luminance(WHITE)) == pytest.approx(4.54, abs=0.01)


@given(colour=colours, ground=colours, ratio=st.sampled_from([3.0, 4.5]))
def test_on_any_plain_ground_some_shade_can_be_read(
    colour: tuple[int, int, int], ground: tuple[int, int, int], ratio: float
) -> None:
    behind = luminance(ground)
    found = readable(colour, darkest=behind, lightest=behind, ratio=ratio)
    assert found is not None
    assert contrast(luminance(found), behind) >= ratio


def test_a_colour_that_can_be_read_is_left_as_it_is() -> None:
    assert readable((56, 189, 248), darkest=0.0, lightest=0.01, ratio=4.5) == (56, 189, 248)


def test_a_weak_colour_keeps_its_hue() -> None:
    behind = luminance((15, 23, 42))
    found = readable((30, 60, 160), darkest=behind, lightest=behind, ratio=4.5)
    assert found is not None
    assert found[2] > found[1] > found[0]


def test_nothing_can_be_read_on_black_and_white_at_once() -> None:
    assert readable(WHITE, darkest=0.0, lightest=1.0, ratio=3.0) is None


@given(colour=colours)
def test_a_pill_of_any_colour_carries_readable_ink(colour: tuple[int, int, int]) -> None:
    ground, ink = pill_colours(colour)
    assert contrast(luminance(ground), luminance(ink)) >= 7


def test_roles_keep_the_minimum_sizes() -> None:
    for role, style in STYLES.items():
        small = style.pill or role == "reference"
        assert style.size >= style.minimum >= (28 if small else 40)


def test_an_unknown_role_looks_like_body() -> None:
    assert style_of("nonsense") is STYLES["body"]


def test_mixing_goes_from_one_colour_to_the_other() -> None:
    assert mix(BLACK, WHITE, 0.0) == BLACK
    assert mix(BLACK, WHITE, 0.5) == (128, 128, 128)
    assert mix(BLACK, WHITE, 1.0) == WHITE
