from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from app.render.inspect.frames import FlashMeter


def worst(levels: Iterable[float], *, part: float = 1.0, fps: int = 30) -> int:
    """Show ``levels`` of luminance on a part of the picture."""
    meter = FlashMeter(fps)
    for level in levels:
        light = np.full((18, 32), 0.3, np.float32)
        light[:, : round(32 * part)] = level
        meter.add(light)
    return meter.worst


def blinks(times: int, *, every: int, dark: float = 0.1, bright: float = 0.6) -> list[float]:
    return ([dark] * every + [bright] * every) * times


def test_a_still_picture_and_a_slow_fade_do_not_flash() -> None:
    assert worst([0.2] * 60) == 0
    assert worst(np.linspace(0, 1, 60)) == 0


@pytest.mark.parametrize(("every", "expected"), [(3, 5), (5, 3), (15, 1)])
def test_flashes_are_counted_within_a_second(every: int, expected: int) -> None:
    assert worst(blinks(10, every=every)) == expected


def test_small_places_small_changes_and_bright_pictures_do_not_count() -> None:
    assert worst(blinks(10, every=3), part=0.2) == 0
    assert worst(blinks(10, every=3), part=0.3) == 5
    assert worst(blinks(10, every=3, dark=0.3, bright=0.38)) == 0
    assert worst([0.85, 0.99] * 30) == 0


def test_changes_that_add_up_are_one() -> None:
    rising_and_falling = [*np.linspace(0, 0.5, 8), *np.linspace(0.5, 0, 8)] * 3
    assert worst(rising_and_falling) <= 2
