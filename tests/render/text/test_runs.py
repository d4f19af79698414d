from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from PIL import Image

from app.render.text import fonts
from app.render.text.drawing import draw_block
from app.render.text.fontfiles import installed_families
from app.render.text.runs import runs
from app.render.text.setting import Block, set_text
from tests.render.fontmaker import build, write_emoji, write_font, write_layers, write_variable

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)
FAMILY = "👩\u200d👧"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_font(tmp_path / "han.ttf", "字か。「」山札", family="Han")
    write_emoji(tmp_path / "emoji.ttf", {"🎲": "#ff0000", "🎉": "#00ff00", "⚡": "#0000ff"})
    return tmp_path


def using(directory: Path) -> fonts.Fonts:
    return fonts.Fonts(directories=[directory])


def drawn(block: Block, **how: object) -> np.ndarray:
    canvas = Image.new("RGB", (600, 300), (20, 20, 20))
    draw_block(canvas, block, x=50, y=50, width=500, centred=False, fill=WHITE, **how)  # type: ignore[arg-type] # passed on
    return np.asarray(canvas)


def of(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere((picture == colour).all(axis=2))


def test_runs_change_with_the_font(directory: Path) -> None:
    with fonts.using(using(directory)):
        found = runs("Take 字。 now 🎲🎉 字", rtl=False)
    assert [(run.text, run.family.name) for run in found] == [
        ("Take ", "night"),
        ("字。 ", "Han"),
        ("now ", "night"),
        ("🎲🎉", "Colours"),
        (" ", "night"),
        ("字", "Han"),
    ]


def test_emoji_are_drawn_in_their_own_colours_at_the_size_of_the_text(directory: Path) -> None:
    with fonts.using(using(directory)):
        block = set_text("🎲 x 🎉", width=500, size=40, bold=False)
        picture = drawn(block)
    red, green = of(picture, RED), of(picture, GREEN)
    for found in (red, green):
        height, width = np.ptp(found, axis=0) + 1
        assert abs(height - 40) <= 1
        assert abs(width - 40) <= 1
    assert red[:, 1].max() < green[:, 1].min()
    assert len(of(picture, WHITE))
    base = 50 + block.ascents[0]
    assert abs(red[:, 0].max() + 1 - (base + 9 * 40 / 109)) <= 1


def test_a_silhouette_takes_their_place_where_it_is_asked_for(directory: Path) -> None:
    with fonts.using(using(directory)):
        block = set_text("🎲", width=500, size=40, bold=True)
        plain, shade = drawn(block), drawn(block, silhouette=(128, 128, 128))
    assert len(of(shade, (128, 128, 128))) == len(of(plain, RED)) > 1000
    assert not len(of(shade, RED))


def test_what_the_coloured_font_lacks_is_drawn_by_the_others(directory: Path) -> None:
    with fonts.using(using(directory)):
        found = runs("⚡ ⚡\ufe0e ☀\ufe0f", rtl=False)
    assert [(run.text, run.family.name) for run in found] == [
        ("⚡", "Colours"),
        (" ", "night"),
        ("⚡\ufe0e ☀\ufe0f", "NotoSansSymbols2"),
    ]


def test_ink_of_installed_fonts_stays_in_its_block(directory: Path) -> None:
    with fonts.using(using(directory)):
        for size in (7.5, 33.3, 84):
            block = set_text("「山札」字か。🎲" * 6, width=400, size=size, bold=False)
            assert block.width <= 400.5
            picture = drawn(block)
            rows, columns = np.nonzero((picture != 20).any(axis=2))
            assert columns.min() >= 50
            assert columns.max() <= 451
            if block.height < 250:
                assert rows.min() >= 50
                assert rows.max() <= 51 + block.height


def test_a_font_that_vanishes_while_it_is_in_use_goes_on_to_be_drawn(directory: Path) -> None:
    with fonts.using(using(directory)):
        block = set_text("字か字", width=500, size=40, bold=False)
        (directory / "han.ttf").unlink()
        assert len(of(drawn(block), WHITE))


def test_widths_are_those_of_the_real_advances(tmp_path: Path) -> None:
    write_font(tmp_path / "wide.ttf", "字", advance=1500)
    (family,) = installed_families([tmp_path])
    with fonts.using(using(tmp_path)):
        (run,) = runs("字字", rtl=False)
        assert run.family.name == family.name
        assert run.length(40, bold=False) == pytest.approx(120)
        assert run.reach(40, bold=False) == pytest.approx((24, 0))
        assert set_text("字字字", width=130 + 8, size=40, bold=False).lines[0].text == "字字"


def test_text_from_right_to_left_keeps_its_order_with_other_fonts(directory: Path) -> None:
    with fonts.using(using(directory)):
        found = runs("שלום 🎲 字", rtl=True)
    assert [run.family.name for run in found] == [
        "Han",
        "NotoSansHebrew",
        "Colours",
        "NotoSansHebrew",
    ]
    assert found[-1].backwards


def test_a_variable_font_is_drawn_at_400_and_headings_at_700(tmp_path: Path) -> None:
    write_variable(tmp_path / "thin.ttf", "字", grows=800)
    with fonts.using(using(tmp_path)):
        (run,) = runs("字", rtl=False)
        widths = [run.length(1000, bold=bold) for bold in (False, True)]
        inks = [run.shaped(bold=bold).right for bold in (False, True)]
    assert widths == pytest.approx([1300, 1600])
    assert inks == pytest.approx([1.3, 1.6])


@pytest.mark.parametrize("version", [0, 1])
def test_emoji_in_layers_have_their_colours(tmp_path: Path, version: int) -> None:
    write_layers(tmp_path / "layers.ttf", "🎲", (1.0, 0.0, 0.0), version=version)
    with fonts.using(using(tmp_path)):
        picture = drawn(set_text("🎲", width=500, size=40, bold=False))
    red = of(picture, RED)
    assert np.ptp(red, axis=0) + 1 == pytest.approx((24, 40), abs=1)


def test_a_run_has_one_script_and_the_films_language_chooses_its_forms(tmp_path: Path) -> None:
    font = build("字形")
    addOpenTypeFeaturesFromString(
        font,
        "languagesystem hani dflt; languagesystem hani JAN;"
        "feature locl { script hani; language JAN; sub u05B57 by u05F62; } locl;",
    )
    font.save(tmp_path / "han.ttf")
    glyphs = {}
    for language in ("en", "ja", "zh-Hans"):
        known = fonts.Fonts(directories=[tmp_path], language=language, region="SC")
        with fonts.using(known):
            found = runs("ab гд字 12", rtl=False)
            glyphs[language] = found[2].shaped(bold=False).glyphs[0].id
        written = [(run.text, run.script, run.language) for run in found]
        han = "zh-hans" if language == "en" else language
        assert written[:3] == [
            ("ab ", "Latn", language),
            ("гд", "Cyrl", language),
            ("字 ", "Hani", han),
        ]
    assert glyphs["ja"] != glyphs["zh-Hans"] == glyphs["en"]
