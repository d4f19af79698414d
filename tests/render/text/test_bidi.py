from __future__ import annotations

import pytest

from app.render.text import bidi
from app.render.text.embeddings import still_open

LRE, RLE, PDF, LRO, RLO = "\u202a", "\u202b", "\u202c", "\u202d", "\u202e"
LRI, RLI, FSI, PDI = "\u2066", "\u2067", "\u2068", "\u2069"
CONTROLS = dict.fromkeys(map(ord, LRE + RLE + PDF + LRO + RLO + LRI + RLI + FSI + PDI))


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
    ("text", "expected"),
    [
        (f"אב {LRI}10×15{PDI} גד", "דג 10×15 בא"),
        ("אב 10×15 גד", "דג 15×10 בא"),
        (f"אב {FSI}Catan 2 (beta)!{PDI} גד", "דג Catan 2 (beta)! בא"),
        ("אב Catan 2 (beta)! גד", "דג !Catan 2 (beta) בא"),
        (f"a {FSI}אב!{PDI} b", "a !בא b"),
        (f"a {RLI}1, 2{PDI} b", "a 2 ,1 b"),
        (f"a {LRI}x {RLI}אב{PDI} y{PDI} b", "a x בא y b"),
        (f"a {RLE}b!{PDF} c", "a !b c"),
        (f"{RLO}abc{PDF} d", "cba d"),
        (f"אב {LRO}גד{PDF}", "גד בא"),
        (f"אב {LRE}x גד y{PDF}!", "!x דג y בא"),
        (f"אב 1{PDF}{PDI} x", "x 1 בא"),  # nothing to end
        (f"a {LRI * 130}אב{PDI * 130} b", "a בא b"),
        ("א x\u2329b\u3009 ג", "ג x\u2329b\u3009 א"),
        ("a [אב]\u0301 ג", "a [בא]\u0301 ג"),
    ],
)
def test_explicit_directions_are_followed(text: str, expected: str) -> None:
    assert seen(text).translate(CONTROLS) == expected


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("abc", ""),
        (f"אב {LRI}10", LRI),
        (f"אב {LRI}10{PDI} x", ""),
        (f"{FSI}אב", RLI),
        (f"{FSI}ab {RLE}x", LRI + RLE),
        (f"{RLI}ab {LRE}x{PDF}y{LRO}", RLI + LRO),
        (f"{RLI}ab {LRE}x{PDI}y", ""),
        (f"{PDI}{PDF}a", ""),
    ],
)
def test_a_direction_that_is_not_ended_goes_on_in_the_next_line(text: str, opened: str) -> None:
    assert still_open(text) == opened


@pytest.mark.parametrize(
    ("text", "rtl"),
    [
        ("abc", False),
        ("123 אב", True),
        ("1. abc אב", False),
        ("12", False),
        (f"{LRI}ab{PDI} אב", True),
    ],
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
