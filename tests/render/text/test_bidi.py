from __future__ import annotations

import pytest

from app.render.text import bidi


def seen(text: str) -> str:
    """The characters in the order in which they are seen from the left."""
    levels = bidi.levels(text, rtl=bidi.is_rtl(text))
    runs: list[tuple[list[str], int]] = []
    for char, level in zip(text, levels, strict=True):
        if runs and runs[-1][1] == level:
            runs[-1][0].append(char)
        else:
            runs.append(([char], level))
    order = bidi.visual_order([level for _, level in runs])
    parts = (runs[index] for index in order)
    return "".join("".join(reversed(run) if level % 2 else run) for run, level in parts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("אבג", "גבא"),
        ("say אבג now", "say גבא now"),
        ("אבג abc דה", "הד abc גבא"),
        ("אב 123 גד", "דג 123 בא"),
        ("אב 1,234.5 גד", "דג 1,234.5 בא"),
        ("אב 50% גד", "דג 50% בא"),
        ("אב $5 גד", "דג $5 בא"),
        ("اب 12-3 ج", "ج 3-12 با"),  # after Arabic letters, a dash parts numbers
        ("אב, גד", "דג ,בא"),
        ("abc (אב) 1", "abc (בא) 1"),
        ("אב ", " בא"),
        ("א\u05b0ב", "ב\u05b0א"),
        ("a 1-2 b", "a 1-2 b"),
        ("א 1-2 ב", "ב 1-2 א"),
    ],
)
def test_characters_are_seen_in_the_order_of_uax_9(text: str, expected: str) -> None:
    assert seen(text) == expected


@pytest.mark.parametrize(
    ("text", "rtl"), [("abc", False), ("123 אב", True), ("1. abc אב", False), ("12", False)]
)
def test_the_first_strong_character_gives_the_direction(text: str, rtl: bool) -> None:  # noqa: FBT001 - a table's column
    assert bidi.is_rtl(text) is rtl


def test_latin_numbers_in_a_right_to_left_line_are_not_reversed() -> None:
    assert bidi.levels("12", rtl=True) == [2, 2]
    assert bidi.levels("ab", rtl=True) == [2, 2]


@pytest.mark.parametrize(
    ("text", "rtl"),
    [
        ("UNO קח קלף", True),
        ("קלף means card", False),
        ("אב ab", True),
        ("ab אב", False),
        ("12", False),
    ],
)
def test_a_text_has_the_direction_of_most_of_its_letters(text: str, *, rtl: bool) -> None:
    assert bidi.mostly_rtl(text) is rtl
