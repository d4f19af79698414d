# ruff: noqa: RUF001 - the punctuation of other scripts is what is tested
from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render.text import breaks, segmentation
from app.render.text.breaks import joined, units
from tests.render.films import make_payload
from tests.render.requests import storyboard_of


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
        ("ผู้เล่นจั่วไพ่5ใบจากสำรับ!", ["ผู้", "เล่น", "จั่ว", "ไพ่5ใบ", "จาก", "สำรับ!"]),
        ("ไพ่\u200bจั่ว ใบ", ["ไพ่\u200b", "จั่ว ", "ใบ"]),
        ("ຜູ້ຫຼິ້ນຈົ່ວໄພ່", ["ຜູ້", "ຫຼິ້ນ", "ຈົ່ວ", "ໄພ່"]),
        ("អ្នកលេងចាប់យក", ["អ្នកលេង", "ចាប់", "យក"]),
        ("ကစားသမားကတ်ဆွဲ", ["ကစားသမား", "ကတ်", "ဆွဲ"]),
        ("🎲🎲ไพ่สามใบ", ["🎲", "🎲", "ไพ่", "สาม", "ใบ"]),
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


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("เล่นน้ำ", ["เล่", "น", "น้ำ"]),
        ("नदी स्त्री", ["न", "दी", " ", "स्त्री"]),
        ("ក្ដារ", ["ក្ដា", "រ"]),
    ],
)
def test_a_word_that_is_cut_is_cut_between_syllables_as_they_are_written(
    text: str, parts: list[str]
) -> None:
    cuts = [0, *(at for at in range(1, len(text)) if not joined(text, at)), len(text)]
    assert [text[start:end] for start, end in itertools.pairwise(cuts)] == parts


@pytest.fixture
def _no_dictionaries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Do as if the extra ``segmentation`` were not installed."""
    monkeypatch.setitem(sys.modules, "icu4py.breakers", None)
    caches = (segmentation._breaker, segmentation.word_ends, breaks._places)
    for found in caches:
        found.cache_clear()
    yield
    monkeypatch.undo()
    for found in caches:
        found.cache_clear()


@pytest.mark.usefixtures("_no_dictionaries")
def test_without_dictionaries_the_author_says_where_words_end_or_is_warned() -> None:
    told = "ผู้เล่นแต่ละคน\u200bจั่วไพ่"
    assert pieces(told) == ["ผู้เล่นแต่ละคน\u200b", "จั่วไพ่"]
    assert not segmentation.lacks_words("Take ไพ่สามใบ from ไพ่สามใบ")
    step = {"id": "a", "text": "ผู้เล่นแต่ละคนจั่วไพ่", "durationSec": 3}
    warnings = storyboard_of(make_payload(step)).warnings
    assert f"step a: {segmentation.MISSING_WORDS}" in warnings


def test_with_dictionaries_there_is_no_warning() -> None:
    assert segmentation.version()
    assert not segmentation.lacks_words("ผู้เล่นแต่ละคนจั่วไพ่")
