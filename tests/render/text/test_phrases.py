from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render.text.breaks import units
from app.render.text.phrases import phrases
from app.render.text.setting import set_text


def pieces(text: str, most: int = 99) -> list[str]:
    found = phrases(text, 0, len(text), lambda start, end: end - start <= most)
    return [text[start:end] for start, end in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("このアクションは一回だけ", ["この", "アクションは", "一回だけ"]),
        ("裏返したタイルと同じ", ["裏返した", "タイルと", "同じ"]),
        ("「山札」から カードを引く。", ["「山札」から ", "カードを", "引く。"]),
        # Chinese, and everything else without kana, has no phrases.
        ("抽两张牌。", ["抽", "两", "张", "牌。"]),
        ("one two", ["one ", "two"]),
        ("", []),
    ],
)
def test_japanese_stays_together_in_phrases(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_a_phrase_that_does_not_fit_is_divided_into_its_units() -> None:
    text = "スタートプレイヤーを決めます。"
    assert pieces(text) == ["スタートプレイヤーを", "決めます。"]
    assert pieces(text, 6) == ["ス", "ター", "ト", "プ", "レ", "イ", "ヤー", "を", "決めます。"]


#: Written for this test, as rules of games say it.
RULES = (
    "手番では、市場からカードを一枚取り、山札の一番上から補充してください。",
    "この行動は各プレイヤーが一回の手番で一度だけ実行できます。",
    "相手のコマが止まっているマスには入れません。",
    "青いマーカーは食料を、赤いマーカーは人口を表しています。",
    "捕虜になった将軍は、次の季節が来るまで動かせません。",
)


@pytest.mark.parametrize("text", RULES)
@pytest.mark.parametrize("width", [300, 420, 640])
def test_no_line_on_screen_begins_with_a_particle(text: str, width: int) -> None:
    lines = set_text(text, width=width, size=36, bold=False).lines
    starts = {line.text[0] for line in lines[1:]}
    assert len(lines) > 1 or width > 420
    assert not starts & set("はがをにへとのでもやか")


@given(
    st.text(st.sampled_from("a5 　字かがをはタイル。「」ーっ…🎲-\u0301"), max_size=40),
    st.integers(1, 9),
)
def test_phrases_are_all_of_the_text_and_end_only_where_units_do(text: str, most: int) -> None:
    found = list(phrases(text, 0, len(text), lambda start, end: end - start <= most))
    ends = {end for _, end in units(text, 0, len(text))}
    assert all(end in ends for _, end in found)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))
    assert "".join(text[start:end] for start, end in found) == text.lstrip(" 　")


def test_the_model_is_loaded_for_japanese_alone() -> None:
    code = (
        "import sys; from app.render.text.phrases import phrases;"
        "list(phrases('one 抽两张牌', 0, 9, lambda a, b: True)); print('budoux' in sys.modules);"
        "list(phrases('カードを', 0, 4, lambda a, b: True)); print('budoux' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["False", "True"]
