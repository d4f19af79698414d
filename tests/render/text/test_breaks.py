# ruff: noqa: RUF001 - the punctuation of other scripts is what is tested
from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render.text.breaks import joined, units


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in units(text, 0, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two words", ["two ", "words"]),
        ("side-by-side and/or", ["side-", "by-", "side ", "and/", "or"]),
        ("long\u200bword", ["long\u200b", "word"]),
        ("12\u202fcm «\u00a0Oui\u00a0»", ["12\u202fcm ", "«\u00a0Oui\u00a0»"]),
        ("one\ttwo\u2003three", ["one\t", "two\u2003", "three"]),
        ("20\u00a0minutes", ["20\u00a0minutes"]),
        ("字を引く", ["字", "を", "引", "く"]),
        ("引く。」次", ["引", "く。」", "次"]),
        ("「山札」から", ["「山", "札」", "か", "ら"]),
        ("（残り）は", ["（残", "り）", "は"]),
        ("“骨”和", ["“骨”", "和"]),
        ("カード", ["カー", "ド"]),
        ("チャンス", ["チャ", "ン", "ス"]),
        ("人々が", ["人々", "が"]),
        ("待て……次", ["待", "て……", "次"]),
        ("待て――次", ["待", "て――", "次"]),
        ("カードを5枚ABCと", ["カー", "ド", "を", "5", "枚", "ABC", "と"]),
        ("「Gem」を", ["「Gem」", "を"]),
        ("約50％です", ["約", "50％", "で", "す"]),
        ("全角　空白", ["全", "角　", "空", "白"]),
        ("보드를 놓고 (남은 카드)", ["보드를 ", "놓고 ", "(남은 ", "카드)"]),
        ("葛\U000e0100城", ["葛\U000e0100", "城"]),
        ("か\u3099く", ["か\u3099", "く"]),
        ("字🎲🎉だ!", ["字", "🎲", "🎉", "だ!"]),
        ("👩\u200d👧👍🏽❤\ufe0f", ["👩\u200d👧", "👍🏽", "❤\ufe0f"]),
        ("🇯🇵🇫🇷🇩🇪", ["🇯🇵", "🇫🇷", "🇩🇪"]),
        ("￥100と", ["￥100", "と"]),
        ("字\u2060字", ["字\u2060字"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("ﾊﾟｽする", ["ﾊﾟ", "ｽ", "す", "る"]),
        ("", []),
    ],
)
def test_a_line_may_end_between_these_pieces(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


@given(st.text(st.sampled_from("a5 　字か。「」（）、ーっ…🎲🏽🇩❤\ufe0f\u200d\u0301-%")))
def test_pieces_are_all_of_the_text_and_no_line_begins_with_what_ends_one(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text.lstrip(" 　")
    for before, after in itertools.pairwise(found):
        if before[-1] not in " 　":
            assert after[0] not in "。」）、ーっ…%"
            assert before[-1] not in "「（"
            assert not joined(before + after, len(before))


@pytest.mark.parametrize(("many", "found"), [("\u0301", 1), ("🇩", 10_001)])
def test_a_long_row_of_marks_or_flags_takes_no_time_of_its_square(many: str, found: int) -> None:
    assert len(pieces("字" + many * 20_000)) == found  # looking back from each took five minutes
