from __future__ import annotations

import pytest

from app.contract import load_contract
from app.render.model.style import contrast, luminance
from app.render.model.themes import NIGHT, THEMES, Colour, Theme


def ratio(one: Colour, other: Colour) -> float:
    return contrast(luminance(one), luminance(other))


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_every_pair_of_a_theme_can_be_read(theme: Theme) -> None:
    for ground in (theme.ground, theme.rim):
        assert ratio(theme.text, ground) >= 7, "text (WCAG 1.4.6)"
        assert ratio(theme.warning, ground) >= 4.5, "warnings (WCAG 1.4.3)"
        assert ratio(theme.muted, ground) >= 4.5, "small print"
        assert ratio(theme.accent, ground) >= 3, "rules and badges (WCAG 1.4.11)"
    assert ratio(theme.text, theme.surface) >= 7
    assert ratio((255, 255, 255), theme.plate) >= 15


def test_the_contract_knows_the_themes_by_name() -> None:
    request = load_contract().schema["$defs"]["previewRequest"]["properties"]["theme"]
    assert request["enum"] == list(THEMES)
    assert request["default"] == NIGHT.name
