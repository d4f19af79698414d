from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.render.text.drawing import draw_block
from app.render.text.runs import runs
from app.render.text.setting import Block, clean, paginate, set_text

LOREM = "Each player draws one card from the deck and places it face up on the table. "
ARABIC = "ضع اللوحة في منتصف الطاولة ثم يسحب كل لاعب 5 بطاقات (Gem Cards) من المجموعة. "
HOSTILE = {
    "long": (LOREM * 26)[:2000],
    "one word": "w" * 200,
    "wide word": "W" * 200,
    "overhanging": "jfjf jjjj fff\njjj fj",
    "arabic": ARABIC * 3,
    "hebrew": 'כל שחקן לוקח 3 קלפים ואז "Gem Collectors" מתחיל. ' * 3,
    "missing": "字字字 \U0001f389\U0001f389 か" * 6,
    "accents": "ẤỆỘÅÇĢ gjpqyþ ",
    "zalgo": "".join(f"{c}\u0301\u0302\u0303\u0304\u0316\u0317" for c in "zalgo he comes"),
    "lines": "one\n\n\n\ntwo\r\nthree\tfour",
    "symbols": "⚀ → ★ ✓ ♠",
    "empty": "",
    "spaces": " \u3000 \u00a0 ",
}


def drawn(block: Block, width: float, *, centred: bool = False) -> tuple[int, int, int, int] | None:
    """The box of the ink of ``block``, drawn at 200, 200."""
    canvas = Image.new("RGB", (round(width) + 400, round(block.height) + 400))
    draw_block(canvas, block, x=200, y=200, width=width, centred=centred, fill=(255, 255, 255))
    box = canvas.getbbox()
    if box is None:
        return None
    return box[0] - 200, box[1] - 200, box[2] - 200, box[3] - 200


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("size", [7.5, 40, 84])
@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("centred", [False, True])
def test_no_ink_leaves_the_block(name: str, size: float, bold: bool, centred: bool) -> None:  # noqa: FBT001 - a table's columns
    width = 700.0
    block = set_text(clean(HOSTILE[name]), width=width, size=size, bold=bold)
    assert block.width <= width + 0.5
    ink = drawn(block, width, centred=centred)
    assert (ink is None) == (name in ("empty", "spaces"))
    if ink is not None:
        assert ink[0] >= 0
        assert ink[1] >= 0
        assert ink[2] <= width + 1
        assert ink[3] <= block.height + 1


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=120), size=st.floats(6, 90), width=st.integers(60, 900))
def test_any_text_at_any_size_stays_in_its_block(text: str, size: float, width: int) -> None:
    block = set_text(clean(text), width=width, size=size, bold=False)
    if block.width > width:  # one glyph may be wider than the column
        return
    ink = drawn(block, width)
    if ink is not None:
        assert min(ink[:2]) >= 0
        assert ink[2] <= width + 1
        assert ink[3] <= block.height + 1


@pytest.mark.parametrize("text", [LOREM * 4, ARABIC, "tile-widths/edges and ship-to-gate paths"])
def test_every_character_is_on_some_line(text: str) -> None:
    block = set_text(clean(text), width=400, size=40, bold=False)
    whole = "".join(line.text for line in block.lines)
    assert whole.replace(" ", "") == text.replace(" ", "")
    assert not block.broken


def test_lines_are_balanced() -> None:
    block = set_text(
        "Place the board in the middle of the table now", width=700, size=40, bold=False
    )
    assert len(block.lines) == 2
    widths = [line.width for line in block.lines]
    assert min(widths) > 0.7 * max(widths)


def test_a_word_longer_than_a_line_is_cut_and_told() -> None:
    block = set_text("w" * 200, width=500, size=40, bold=False)
    assert block.broken
    assert "".join(line.text for line in block.lines) == "w" * 200


def test_cjk_breaks_between_characters_but_not_before_a_full_stop() -> None:
    block = set_text("字" * 11 + "。" + "字" * 8, width=11.4 * 24, size=24, bold=False)
    assert len(block.lines) >= 2
    assert not block.broken
    assert not any(line.text.startswith("。") for line in block.lines)


def test_a_no_break_space_holds_words_together() -> None:
    block = set_text("aaaa aaaa 20\u00a0minutes", width=250, size=40, bold=False)
    assert any("20\u00a0minutes" in line.text for line in block.lines)


@pytest.mark.parametrize("width", [40, 97, 100, 300])
def test_marks_are_not_parted_from_their_letter(width: float) -> None:
    block = set_text("x\u0323\u0330" * 60, width=width, size=40, bold=False)
    assert len(block.lines) > 1
    assert all(line.text.startswith("x") for line in block.lines)


def test_cleaning_composes_and_drops_what_cannot_be_set() -> None:
    assert clean("e\u0301\x00\x07 a\tb\r\nc\n\n\n\nd ") == "é a b\nc\n\nd"
    assert clean("z" + "\u0335" * 50) == "z" + "\u0335" * 4


def test_right_to_left_lines_hang_from_the_right() -> None:
    block = set_text("שלום", width=600, size=40, bold=False)
    ink = drawn(block, 600)
    assert block.rtl
    assert ink is not None
    assert ink[0] > 400
    assert ink[2] > 580


def test_arabic_letters_are_joined() -> None:
    """Shaped, the word is narrower than its letters side by side in isolated forms."""
    joined = set_text("بببب", width=900, size=60, bold=False)
    apart = set_text("\u200c".join("بببب"), width=900, size=60, bold=False)
    assert joined.width < 0.8 * apart.width


def test_pages_hold_every_word_in_order_and_fit() -> None:
    text = clean(HOSTILE["long"])
    pages = paginate(text, width=600, height=300, size=40, bold=False)
    assert len(pages) > 2
    assert " ".join(pages).split() == text.split()
    for page in pages:
        assert set_text(page, width=600, size=40, bold=False).height <= 300


def test_pages_end_with_sentences_where_they_can() -> None:
    pages = paginate(clean(LOREM * 12), width=900, height=330, size=40, bold=False)
    assert len(pages) > 1
    assert all(page.endswith(".") for page in pages)


def test_pages_of_one_endless_word_fit_too() -> None:
    pages = paginate("w" * 2000, width=500, height=200, size=40, bold=False)
    assert "".join(pages) == "w" * 2000
    for page in pages:
        assert set_text(page, width=500, size=40, bold=False).height <= 200


def test_a_page_has_at_least_a_line_however_low_it_is() -> None:
    assert paginate("a b c", width=30, height=1, size=40, bold=False) == ("a", "b", "c")


def test_drawing_twice_gives_the_same_pixels() -> None:
    block = set_text(clean(HOSTILE["arabic"]), width=500, size=33.3, bold=True)
    pictures = []
    for _ in range(2):
        canvas = Image.new("RGB", (600, 900))
        draw_block(canvas, block, x=0, y=0, width=500, centred=True, fill=(9, 9, 9))
        pictures.append(np.asarray(canvas))
    assert np.array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize(
    "end", ["\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"], ids=ascii
)
def test_every_mandatory_break_ends_a_line(end: str) -> None:
    block = set_text(clean(f"First{end}second"), width=2000, size=30, bold=False)
    assert [line.text for line in block.lines] == ["First", "second"]


def test_a_line_of_spaces_alone_is_an_empty_line() -> None:
    block = set_text(clean("one\n \ntwo\n\t"), width=400, size=30, bold=False)
    assert [line.text for line in block.lines] == ["one", "", "two"]


def test_a_word_is_divided_at_a_soft_hyphen_and_a_hyphen_shown_there_alone() -> None:
    text = clean("Spiel\u00adkarten\u00adhalter \u00ad und Wür\u00adfel\u00ad")
    wide = set_text(text, width=900, size=40, bold=False)
    assert [line.text for line in wide.lines] == ["Spielkartenhalter  und Würfel"]
    narrow = set_text(text, width=280, size=40, bold=False)
    assert [line.text for line in narrow.lines] == ["Spielkarten-", "halter  und", "Würfel"]
    assert not narrow.broken
    assert narrow.width <= 280


def test_an_isolate_that_goes_over_several_lines_keeps_its_direction_in_each() -> None:
    text = "אבגד \u2066one, two, three, four!\u2069 אבגד"
    block = set_text(text, width=250, size=40, bold=False)
    assert len(block.lines) > 2
    for line in block.lines[1:-1]:
        order = "".join(run.text for run in runs(line.text, rtl=block.rtl))
        assert order.strip("\u2066") in text
