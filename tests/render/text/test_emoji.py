from __future__ import annotations

import pytest

from app.render.text.emoji import SEQUENCE


@pytest.mark.parametrize(
    "sequence",
    [
        "🎲", "⚡", "❤\ufe0f", "👍🏽", "✌🏿", "👩\u200d👩\u200d👧\u200d👦", "❤\ufe0f\u200d🔥", "🇯🇵",
        "1\ufe0f\u20e3", "#\ufe0f\u20e3", "🏴\U000e0067\U000e0062\U000e0065\U000e007f",
        "🏳\ufe0f\u200d🌈", "\u2139\ufe0f", "™\ufe0f", "㊗\ufe0f",
        "🧑🏽\u200d❤\ufe0f\u200d💋\u200d🧑🏻",
    ],
)  # fmt: skip
def test_what_belongs_together_is_one_emoji(sequence: str) -> None:
    assert [match[0] for match in SEQUENCE.finditer(f"a{sequence}b 1{sequence}{sequence}")] == [
        sequence
    ] * 3


@pytest.mark.parametrize(
    "text", ["♥", "☀", "⚡\ufe0e", "™", "1", "#", "\u2139", "字", "é", "a\ufe0f", "→"]
)
def test_what_is_plain_text_is_none(text: str) -> None:
    assert SEQUENCE.search(text) is None
