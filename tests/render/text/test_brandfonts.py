from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import TTFont
from PIL import Image

from app.errors import AssetFailed
from app.render.text import fonts
from app.render.text.brandfonts import brand_families, job_fonts
from app.render.text.drawing import draw_block
from app.render.text.faults import FontFailed
from app.render.text.runs import runs
from app.render.text.setting import set_text
from tests.render.films import make_payload
from tests.render.fontmaker import box, build, write_collection, write_emoji, write_font
from tests.render.requests import request_of

LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,"


def job(*assets: str, directories: tuple[Path, ...] = ()) -> Any:
    """Use the fonts at ``assets``."""
    listed = [{"id": Path(one).stem, "type": "font", "path": one} for one in assets]
    picture = {"id": "board", "type": "image", "path": "board.png"}
    payload = make_payload({"id": "a", "body": "x"}, assets=[picture, *listed])
    files = {Path(one).stem: Path(one) for one in assets}
    return job_fonts(request_of(payload, files), directories=directories)


def families(text: str) -> list[str]:
    return [run.family.name for run in runs(text, rtl=False)]


def test_texts_are_set_in_the_jobs_font_and_the_rest_in_the_others(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    write_font(tmp_path / "fonts" / "han.ttf", "字", family="Han")
    brand = write_font(tmp_path / "brand.ttf", LATIN + "字", family="Brand")
    with job(str(brand), directories=(tmp_path / "fonts",)):
        assert families("Take a card.") == ["Brand"]
        assert families("Take 5 ✓ 字") == ["Brand", "night", "NotoSansSymbols2", "Brand"]
        assert fonts.missing_characters("Take ✓ 字か") == ("か",)
    assert families("Take a card.") == ["night"]


def test_several_fonts_are_asked_in_the_order_of_the_assets(tmp_path: Path) -> None:
    first = write_font(tmp_path / "first.ttf", "ab", family="Zebra")
    second = write_font(tmp_path / "second.ttf", "abcd", family="Apple")
    with job(str(first), str(second)):
        assert families("abcde") == ["Zebra", "Apple", "night"]


def test_bold_and_plain_may_come_as_two_files_of_one_family(tmp_path: Path) -> None:
    plain = write_font(tmp_path / "plain.ttf", LATIN, family="Brand", advance=500)
    bold = write_font(tmp_path / "bold.ttf", LATIN, family="Brand", style="Bold", advance=700)
    with job(str(bold), str(plain)):
        (family,) = fonts.current().brand
        assert [family.face(bold=bold).asset_id for bold in (False, True)] == ["plain", "bold"]
        (run,) = runs("abcd", rtl=False)
        assert run.length(40, bold=False) == pytest.approx(80, abs=0.1)
        assert run.length(40, bold=True) == pytest.approx(112, abs=0.1)


def test_a_collection_and_coloured_emoji_may_be_brought_too(tmp_path: Path) -> None:
    faces = [build(LATIN, family=name) for name in ("One", "Two")]
    both = write_collection(tmp_path / "both.ttc", *faces)
    emoji = write_emoji(tmp_path / "emoji.ttf", {"🎲": "red"})
    with job(str(both), str(emoji)):
        assert [family.name for family in fonts.current().brand] == ["One", "Two", "Colours"]
        assert families("Roll 🎲 now") == ["One", "Colours", "One"]


def test_ink_that_reaches_far_out_has_room_in_its_block(tmp_path: Path) -> None:
    brand = write_font(tmp_path / "wild.ttf", LATIN, overhang=300)
    with job(str(brand)):
        block = set_text("Take a card", width=900, size=40, bold=False)
        assert block.overhang == pytest.approx(12, abs=0.5)
        assert set_text("Take a card", width=900, size=40, bold=False) is block


def test_what_is_no_glyph_for_a_text_is_left_to_other_fonts(tmp_path: Path) -> None:
    hollow = write_font(tmp_path / "hollow.ttf", "ab", empty="cd")
    huge = write_font(tmp_path / "huge.ttf", "c", overhang=9000)
    wide = write_font(tmp_path / "wide.ttf", "d", advance=30000)
    with job(str(hollow), str(huge), str(wide)):
        assert families("abcd") == ["Boxes", "night"]


def write_huge(path: Path, huge: str) -> str:
    """Write a font whose letters are 0.4 em high, the glyph ``huge`` 1,875; Z stands for ca."""
    font = build("Zca")
    font["head"].unitsPerEm = 16
    for number, glyph in enumerate(font.getGlyphOrder(), 4):
        side = 30_000 if glyph == huge else number
        font["glyf"][glyph] = box(0, side, side)
        font["hmtx"][glyph] = (5, 0)
    addOpenTypeFeaturesFromString(font, "feature liga { sub u00063 u00061 by u0005A; } liga;")
    font.save(path)
    return str(path)


def test_glyphs_as_high_as_a_house_are_refused_or_left_to_other_fonts(tmp_path: Path) -> None:
    with (
        pytest.raises(FontFailed, match="'joined' is a broken font"),
        job(write_huge(tmp_path / "joined.ttf", "u0005A")),
    ):
        set_text("ca", width=400, size=40, bold=False)
    font = TTFont(write_huge(tmp_path / "far.ttf", ""))
    addOpenTypeFeaturesFromString(
        font, "feature kern { pos u00063 <0 30000 0 0> u00061 <0 0 0 0>; } kern;"
    )
    font.save(tmp_path / "far.ttf")
    with (
        pytest.raises(FontFailed, match="'far' is a broken font"),
        job(str(tmp_path / "far.ttf")),
    ):
        set_text("ca", width=400, size=40, bold=False)
    with job(write_huge(tmp_path / "missing.ttf", ".notdef")):
        assert families("ca字") == ["Boxes", "NotoSans"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"wOF2" + bytes(90), "WOFF font; give it as TTF or OTF"),
        (b"wOFF" + bytes(90), "WOFF font; give it as TTF or OTF"),
        (b"", "not a TrueType or OpenType font"),
        (b"\x89PNG\r\n\x1a\n" + bytes(90), "not a TrueType or OpenType font"),
        (b"%!PS-AdobeFont-1.0", "not a TrueType or OpenType font"),
        (b"\0\1\0\0", "a broken font"),
        (b"OTTO" + bytes(900), "a broken font"),
        (b"ttcf" + bytes(4) + b"\0\0\0\2" + bytes(90), "a broken font"),
        (b"ttcf" + bytes(4) + b"\0\0\0\0" + bytes(90), "a broken font"),
    ],
)
def test_what_is_no_font_fails_the_job_by_name(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "brand.ttf"
    path.write_bytes(content)
    with pytest.raises(AssetFailed) as caught, job(str(path)):
        pass
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == ("/previewRequest/assets/1", "font-unusable")
    assert item.detail.startswith("asset 'brand' is ")
    assert says in item.detail
    assert str(tmp_path) not in item.detail


def test_a_font_may_not_be_endless(tmp_path: Path) -> None:
    path = write_font(tmp_path / "brand.ttf", LATIN)
    with path.open("ab") as file:
        file.truncate(32 * 1024 * 1024 + 1)
    with (
        pytest.raises(FontFailed, match="33554433 bytes, a font may have 33554432"),
        job(str(path)),
    ):
        pass


def test_a_face_with_broken_outlines_fails_the_job_by_name(tmp_path: Path) -> None:
    plain = write_font(tmp_path / "plain.ttf", LATIN, family="Brand")
    bold = write_font(tmp_path / "bold.ttf", LATIN, family="Brand", style="Bold")
    font = TTFont(bold)
    start, length = font.reader.tables["glyf"].offset, font.reader.tables["glyf"].length
    content = bytearray(bold.read_bytes())
    content[start : start + length] = b"\x7f" * length
    bold.write_bytes(content)
    with (
        pytest.raises(FontFailed, match="'bold' is a broken font") as caught,
        job(str(plain), str(bold)),
    ):
        pass
    assert caught.value.errors[0].pointer == "/previewRequest/assets/2"


def test_pictures_in_a_font_that_cannot_be_read_are_its_fault(tmp_path: Path) -> None:
    sound = write_emoji(tmp_path / "sound.ttf", {"🎲": "red"}).read_bytes()
    for part, other in ((b"IHDR", b"XHDR"), (bytes((0, 0, 0, 109)) * 2, b"\0\1\0\0" * 2)):
        assert part in sound
        path = tmp_path / f"{part[-1]}.ttf"
        path.write_bytes(sound.replace(part, other))
        with job(str(path)):
            block = set_text("🎲", width=400, size=40, bold=False)
            canvas = Image.new("RGB", (400, 100))
        with pytest.raises(FontFailed, match="is a broken font"), job(str(path)):
            draw_block(canvas, block, x=0, y=0, width=400, centred=True, fill=(9, 9, 9))


def test_a_letter_without_an_outline_in_the_bold_face_is_told_of_when_it_is_used(
    tmp_path: Path,
) -> None:
    plain = write_font(tmp_path / "plain.ttf", LATIN, family="Brand")
    without = LATIN.replace("k", "")
    bold = write_font(tmp_path / "bold.ttf", without, family="Brand", style="Bold", empty="k")
    with job(str(plain), str(bold)):
        set_text("Take a card", width=400, size=40, bold=False)
    with (
        pytest.raises(FontFailed, match="'bold' is a broken font") as caught,
        job(str(plain), str(bold)),
    ):
        set_text("Take a card", width=400, size=40, bold=True)
    assert caught.value.errors[0].pointer == "/previewRequest/assets/2"


def test_a_job_without_fonts_has_none(tmp_path: Path) -> None:
    request = request_of(make_payload({"id": "a"}))
    assert brand_families(request.assets) == ()
    with job():
        assert fonts.current() is fonts.film_fonts(request)


def test_a_damaged_font_fails_by_name_or_is_used(tmp_path: Path) -> None:
    sound = write_font(tmp_path / "sound.ttf", LATIN).read_bytes()
    dice = random.Random(7)
    refused = 0
    for number in range(40):
        damaged = bytearray(sound)
        for _ in range(dice.randrange(1, 12)):
            damaged[dice.randrange(4, len(damaged))] = dice.randrange(256)
        path = tmp_path / f"brand-{number}.ttf"
        path.write_bytes(damaged)
        with suppress(FontFailed), job(str(path)):
            block = set_text("Take a card, Bob.", width=400, size=40, bold=True)
            canvas = Image.new("RGB", (400, 100))
            draw_block(canvas, block, x=0, y=0, width=400, centred=True, fill=(9, 9, 9))
            continue
        refused += 1
    assert 0 < refused < 40
