from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from app.render.model.pacing import count_words
from app.render.model.scripts import HANGUL, IDEOGRAPH, KANA

#: Historic kana, Hangul's two marks of tone and its empty filler, an enclosed sign.
RARE = {*map(chr, range(0x1AFF0, 0x1B170)), "\u302e", "\u302f", "\u3164", "\U0001f200"}


@pytest.mark.parametrize(
    ("script", "prefixes"),
    [
        (KANA, ("HIRAGANA ", "KATAKANA LETTER", "HALFWIDTH KATAKANA LETTER", "KATAKANA ITERATION")),
        (HANGUL, ("HANGUL ", "HALFWIDTH HANGUL LETTER")),
        (IDEOGRAPH, ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "CJK RADICAL", "HIRAGANA ")),
    ],
)
def test_a_script_has_the_characters_that_unicode_names_after_it(
    script: re.Pattern[str], prefixes: tuple[str, ...]
) -> None:
    named = {
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if unicodedata.name(char, "").startswith(prefixes)
    }
    assert {char for char in named - RARE if not script.match(char)} == set()


def test_han_and_the_signs_that_languages_share_are_neither_kana_nor_hangul() -> None:
    shared = "阿尔伯特・爱因斯坦漢字、。「」ー々〇"
    assert not KANA.search(shared)
    assert not HANGUL.search(shared)


def test_a_mark_of_repetition_counts_like_the_character_that_it_repeats() -> None:
    assert count_words("人々") == count_words("人人") == 1
