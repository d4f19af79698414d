from __future__ import annotations

from pathlib import Path

import pytest

from app.render.text import fonts
from app.render.text.languages import region_of
from app.render.text.runs import runs
from tests.render.fontmaker import build, write_collection, write_font
from tests.render.requests import request_of


@pytest.mark.parametrize("char", list("aÄłßЖωא م→✓⚀♠☆•–…“”€™½"))
def test_the_vendored_fonts_have_it(char: str) -> None:
    assert fonts.missing_characters(char) == ()


@pytest.mark.parametrize("char", ["字", "か", "\U0001f389", "\ue000"])
def test_what_no_font_has_is_missing(char: str) -> None:
    assert fonts.missing_characters(f"a{char}b{char}") == (char,)


def test_invisible_characters_are_never_missing() -> None:
    assert fonts.missing_characters("a\u200d\ufe0f\u200f\u00a0\n\u2028") == ()


def test_punctuation_stays_in_the_run_of_its_neighbour() -> None:
    families = dict(zip(fonts.FAMILIES, fonts.vendored(), strict=True))

    def after(name: str, char: str) -> str | None:
        found = fonts.current().family_of(char, previous=families[name])
        return None if found is None else found.name

    assert after("NotoSansArabic", ".") == "NotoSansArabic"
    assert after("NotoSansArabic", "(") == "night"
    assert after("NotoSansArabic", "1") == "night"
    assert after("NotoSansHebrew", " ") == "NotoSansHebrew"
    assert after("NotoSans", "字") is None


def test_a_family_without_a_bold_face_gives_its_regular_one() -> None:
    base, *_, symbols, _ = fonts.vendored()
    assert symbols.face(bold=True).path.name == "NotoSansSymbols2-Regular.ttf"
    assert base.face(bold=True).path.name == "NotoSans-Bold.ttf"


def test_every_font_file_has_its_licence_beside_it() -> None:
    assert len(fonts.font_files()) == 16
    licence = (fonts.FONT_DIRECTORY / "OFL.txt").read_text()
    assert "SIL OPEN FONT LICENSE" in licence
    listed = (fonts.FONT_DIRECTORY / "README.md").read_text()
    names = {path.name.partition("-")[0] for path in fonts.font_files()}
    assert {name for name in names if name not in listed} == set()


@pytest.mark.parametrize(
    ("language", "texts", "region"),
    [
        ("ja", "骨", "JP"),
        ("ja-JP", "한", "JP"),
        ("ko", "骨", "KR"),
        ("zh", "骨", "SC"),
        ("zh-Hans", "かな", "SC"),
        ("zh-Hans-HK", "骨", "SC"),
        ("zh-Hant", "骨", "TC"),
        ("zh-TW", "骨", "TC"),
        ("zh-HK", "骨", "HK"),
        ("zh-Hant-HK", "骨", "HK"),
        ("en", "the card 骨かな", "JP"),
        ("", "骨 한", "KR"),
        ("de", "骨", "SC"),
    ],
)
def test_the_language_or_the_script_says_whose_forms_are_wanted(
    language: str, texts: str, region: str
) -> None:
    assert region_of(language, texts) == region


@pytest.mark.parametrize(("language", "first"), [("ja", "Han JP"), ("zh-TW", "Han TC")])
def test_the_face_of_a_collection_that_fits_the_language_is_taken(
    tmp_path: Path, language: str, first: str
) -> None:
    faces = [build("骨", family=f"Han {region}") for region in ("JP", "SC", "TC")]
    write_collection(tmp_path / "han.ttc", *faces)
    write_font(tmp_path / "a.ttf", "x", family="Aaron")
    request = request_of({"previewRequest": {"options": {"language": language}}})
    found = fonts.film_fonts(request, directories=[tmp_path])
    family = found.family_of("骨", previous=found.base)
    assert family is not None
    assert family.name == first
    assert fonts.film_fonts(request, directories=[tmp_path]) is found
    write_font(tmp_path / "new.ttf", "x", family="New")
    assert fonts.film_fonts(request, directories=[tmp_path]) is not found


def test_the_vendored_fonts_go_before_the_installed_ones(tmp_path: Path) -> None:
    write_font(tmp_path / "all.ttf", "aא→字", family="All")
    found = fonts.Fonts(directories=[tmp_path])
    with fonts.using(found):
        shown = {
            text: family and family.name for text in "aא→字" for *_, family in found.pieces(text)
        }
        assert fonts.missing_note("a字か") == "no font has か (U+304B)"
    assert shown == {"a": "night", "א": "NotoSansHebrew", "→": "NotoSansSymbols", "字": "All"}
    assert fonts.missing_note("a字") == "no font has 字 (U+5B57)"


def test_what_determines_the_look_of_a_text_leaves_out_what_it_does_not_show(
    tmp_path: Path,
) -> None:
    write_font(tmp_path / "a.ttf", "字", family="A")
    write_font(tmp_path / "b.ttf", "か", family="B")
    found = fonts.Fonts(directories=[tmp_path])
    assert found.signature(["Take a card", "→"]) == []
    assert [entry[0] for entry in found.signature(["字"])] == ["A"]
    assert [entry[0] for entry in found.signature(["字", "x か"])] == ["A", "B"]
    assert fonts.current().signature(["字"]) == []


def test_a_mark_that_no_font_has_together_with_its_letter_is_left_out_and_missing() -> None:
    assert fonts.missing_characters("1\ufe0f\u20e3 x\u0301") == ()
    assert fonts.missing_characters("ж\u20e0 ж") == ("\u20e0",)
    assert [run.text for run in runs("ж\u20e0 ж", rtl=False)] == ["ж", " ж"]
