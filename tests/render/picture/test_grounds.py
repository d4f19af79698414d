from __future__ import annotations

import numpy as np
import pytest

from app.render.model.style import contrast, luminance
from app.render.model.themes import THEMES, Theme
from app.render.picture.grounds import theme_ground

SIZES = [(1280, 720), (720, 1280), (1080, 1080), (160, 90), (1000, 302)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_text_can_be_read_wherever_it_may_stand(theme: Theme, size: tuple[int, int]) -> None:
    picture = theme_ground(theme, size)
    assert picture.size == size
    width, height = size
    inside = picture.crop((width // 12, height // 12, width - width // 12, height - height // 12))
    colours = np.unique(np.asarray(inside).reshape(-1, 3), axis=0)
    text = luminance(theme.text)
    levels = (luminance((int(red), int(green), int(blue))) for red, green, blue in colours)
    assert min(contrast(text, level) for level in levels) >= 6.9


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_a_ground_is_the_same_whenever_it_is_drawn(theme: Theme) -> None:
    one = theme_ground(theme, (320, 180))
    theme_ground.cache_clear()
    assert theme_ground(theme, (320, 180)).tobytes() == one.tobytes()
