from __future__ import annotations

import pytest

from app.render.model import pacing


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("one", 1), ("two  words", 2), ("你好世界", 2), ("カード 3", 3), ("a\nb\nc", 3)],
)
def test_words_are_counted_in_scripts_with_and_without_spaces(text: str, words: int) -> None:
    assert pacing.count_words(text) == words


def test_a_text_stands_four_seconds_and_a_share_of_a_second_a_word() -> None:
    assert pacing.estimated_seconds("ten " * 10, heading=False) == pytest.approx(5.5)
    assert pacing.estimated_seconds("ten " * 10, heading=True) == pytest.approx(5.95)


def test_a_narrated_step_outlasts_its_take() -> None:
    assert pacing.narrated_seconds(offset_seconds=0.5, narration_seconds=2.0) == pytest.approx(2.8)
    assert pacing.narrated_seconds(offset_seconds=0.0, narration_seconds=0.1) == 1.0


def test_a_page_can_be_read_at_seventeen_characters_a_second() -> None:
    assert pacing.page_seconds("x" * 170) == pytest.approx(11.0)
