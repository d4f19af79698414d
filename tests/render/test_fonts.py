from __future__ import annotations

import pytest

from app.render import fonts


@pytest.mark.parametrize("char", list("aÄłßЖωא م→✓⚀♠☆•–…“”€™½"))
def test_the_vendored_fonts_have_it(char: str) -> None:
    assert fonts.missing_characters(char) == ()


@pytest.mark.parametrize("char", ["字", "か", "\U0001f389", "\ue000"])
def test_what_no_font_has_is_missing(char: str) -> None:
    assert fonts.missing_characters(f"a{char}b{char}") == (char,)


def test_invisible_characters_are_never_missing() -> None:
    assert fonts.missing_characters("a\u200d\ufe0f\u200f\u00a0\n\u2028") == ()


def test_punctuation_stays_in_the_run_of_its_neighbour() -> None:
    assert fonts.family_of(".", previous="NotoSansArabic") == "NotoSansArabic"
    assert fonts.family_of("(", previous="NotoSansArabic") == "NotoSans"
    assert fonts.family_of("1", previous="NotoSansArabic") == "NotoSans"
    assert fonts.family_of(" ", previous="NotoSansHebrew") == "NotoSansHebrew"


def test_a_family_without_a_bold_face_gives_its_regular_one() -> None:
    bold = fonts.face("NotoSansSymbols2", 20, True)  # noqa: FBT003 - positional by its cache
    assert bold.getname() == ("Noto Sans Symbols2", "Regular")
    assert fonts.face("NotoSans", 20, True).getname() == ("Noto Sans", "Bold")  # noqa: FBT003 - same


def test_every_font_file_has_its_licence_beside_it() -> None:
    assert len(fonts.font_files()) == 8
    assert "SIL OPEN FONT LICENSE" in (fonts.FONT_DIRECTORY / "OFL.txt").read_text()
