from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render.captions.linebreaks import join, one_line, tokenize, wrap


def lines(text: str, *, line: int) -> tuple[str, ...]:
    return wrap(tokenize(text, line=line), line=line)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("Take one card, then refill it", 16, ("Take one card,", "then refill it")),
        # No-break spaces stay, and no line breaks at them: U+00A0, U+202F and U+2007.
        ("Il dit «\u00a0Oui\u00a0» tout haut", 18, ("Il dit «\u00a0Oui\u00a0»", "tout haut")),
        ("à exactement 12\u202fcm du bord", 18, ("à exactement", "12\u202fcm du bord")),
        ("zahle genau 1\u2007000 Taler", 16, ("zahle genau", "1\u2007000 Taler")),
        # Other spaces are one plain space; a full-width one stays as wide as its letters.
        ("one\ttwo \u2003 three", 42, ("one two three",)),
        ("全角　空白", 13, ("全角　空白",)),
        ("全角　空白", 3, ("全角", "空白")),
        # Soft hyphens and control characters go.
        ("Wett\u00adlauf um die Spiel\u00adsteine\x07", 16, ("Wettlauf um", "die Spielsteine")),
        ("Über\u00adtragungs\u00adgesetz\u00ad", 16, ("Übertragungs-", "gesetz")),
        # No line begins with these (kinsoku shori).
        ("三百六十℃预热烤箱", 5, ("三百六十℃", "预热烤箱")),
        ("三〜五人游戏", 3, ("三〜五", "人游戏")),
        # In Japanese, lines end after phrases: no particle begins one.
        ("木材と羊毛と小麦がそれぞれ", 8, ("木材と羊毛と", "小麦がそれぞれ")),
        # A line ends after a hyphen or slash only where no space is near.
        ("put it side-by-side now", 16, ("put it", "side-by-side now")),
        ("supercalifragi-listic", 16, ("supercalifragi-", "listic")),
    ],
)
def test_lines_of_a_caption_break_where_those_on_screen_may(
    text: str, line: int, expected: tuple[str, ...]
) -> None:
    assert lines(text, line=line) == expected


def test_emoji_keep_their_space_on_one_line() -> None:
    assert one_line(["roll 🎲", "now"]) == "roll 🎲 now"
    assert one_line(["カードを", "引く"]) == "カードを引く"


@given(st.text(st.sampled_from("ab -/.,字か。「」〜ー\u00a0\u202f\u3000\u0301🎲🏽\n"), max_size=60))
def test_tokens_are_all_of_the_text_and_none_but_spaces_of_line_ends_is_lost(text: str) -> None:
    tokens = tokenize(text, line=8)
    assert "".join(join(tokens).split()) == "".join(text.split())
    kept = "\u00a0\u202f"
    assert [char for char in join(tokens) if char in kept] == [c for c in text if c in kept]
    assert all(token.text for token in tokens)
