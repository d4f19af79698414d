from __future__ import annotations

from pathlib import Path

import pytest

from app.render.text.fontfiles import Family, fingerprint, installed_families, named_faces
from tests.render.fontmaker import build, write_collection, write_emoji, write_font


def names(families: tuple[Family, ...]) -> list[str]:
    return [family.name for family in families]


def test_families_come_by_directory_then_sans_first_then_by_name_and_each_once(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "below").mkdir(parents=True)
    second.mkdir()
    write_font(first / "a.ttf", "a", family="Zebra")
    write_font(first / "z.OTF", "a", family="Apple")
    write_font(first / "below" / "a.ttf", "a", family="Below")
    write_font(second / "a.ttf", "a", family="Zebra")
    write_font(second / "b.ttf", "a", family="Aaron")
    (first / "notes.txt").write_text("no font")
    write_font(second / "c.ttf", "a", family="Noto Sans Thai")
    found = installed_families([first, tmp_path / "absent", second])
    assert names(found) == ["Apple", "Zebra", "Noto Sans Thai", "Aaron"]
    assert found[1].regular.path == first / "a.ttf"


def test_a_family_has_its_regular_and_its_bold_face(tmp_path: Path) -> None:
    for style in ("Black", "Italic", "Bold", "Light", "Regular", "Bold Italic"):
        write_font(tmp_path / f"{style}.ttf", "a", family="Boxes", style=style)
    (family,) = installed_families([tmp_path])
    assert (family.face(bold=False).path.stem, family.face(bold=True).path.stem) == (
        "Regular",
        "Bold",
    )


def test_a_family_without_a_bold_face_has_its_plain_one_for_both(tmp_path: Path) -> None:
    write_font(tmp_path / "a.ttf", "a", style="Italic")
    write_font(tmp_path / "b.ttf", "a", style="Medium")
    (family,) = installed_families([tmp_path])
    assert family.regular == family.bold
    assert family.regular.path == tmp_path / "b.ttf"


def test_all_faces_of_a_collection_are_found(tmp_path: Path) -> None:
    faces = [build("a", family=name) for name in ("Han JP", "Han SC")]
    path = write_collection(tmp_path / "han.ttc", *faces)
    found = installed_families([tmp_path])
    shown = [(one.name, one.regular.path, one.regular.index) for one in found]
    assert shown == [("Han JP", path, 0), ("Han SC", path, 1)]
    assert fingerprint(found[0].regular) != fingerprint(found[1].regular)


def test_a_font_of_coloured_pictures_is_an_emoji_font(tmp_path: Path) -> None:
    write_emoji(tmp_path / "emoji.ttf", {"🎲": "red"})
    (family,) = installed_families([tmp_path])
    assert (family.name, family.emoji) == ("Colours", True)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\1\0\0", b"OTTO" + bytes(400), b"ttcf\0\1\0\0\xff\xff\xff\xff", b"<html>", b"wOF2"],
)
def test_what_is_broken_is_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ttf").write_bytes(content)
    write_font(tmp_path / "b.ttf", "a", family="Sound")
    assert names(installed_families([tmp_path])) == ["Sound"]


def test_a_truncated_font_is_left_out_or_has_what_is_left(tmp_path: Path) -> None:
    path = write_font(tmp_path / "a.ttf", "a")
    path.write_bytes(path.read_bytes()[:200])
    assert installed_families([tmp_path]) == ()


def test_another_content_has_another_fingerprint(tmp_path: Path) -> None:
    def print_of(path: Path) -> str:
        (found,) = named_faces(path)
        return fingerprint(found.face)

    one = write_font(tmp_path / "one.ttf", "ab")
    before = print_of(one)
    same = tmp_path / "same.ttf"
    same.write_bytes(one.read_bytes())
    assert print_of(same) == before
    write_font(one, "ab", advance=1001)
    assert print_of(one) != before


def test_a_jobs_font_counts_to_its_last_byte_whatever_its_checksums_say(tmp_path: Path) -> None:
    prints = set()
    for end in (b"a", b"b"):
        path = write_font(tmp_path / "one.ttf", "ab")
        path.write_bytes(path.read_bytes() + bytes(65536) + end)
        (found,) = named_faces(path, asset_id=f"brand-{end!r}")
        prints.add(fingerprint(found.face))
    assert len(prints) == 2
