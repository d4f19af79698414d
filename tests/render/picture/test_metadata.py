"""What picture files say besides their pixels. Expected colours and sizes are those of Chromium
156 where a comment says nothing else: each file was drawn on a canvas there."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.errors import AssetFailed
from app.render.picture.decoding import MAX_SEQUENTIAL_PIXELS, load_picture
from app.render.picture.metadata import exif_orientation
from tests.render.pictures import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    animated,
    chunk,
    gama,
    line,
    load,
    named,
    near_pixels,
    pixels,
    plain,
    png,
    saved,
    with_segments,
)


def tiff(*entries: tuple[int, int, int, bytes], order: str = ">") -> bytes:
    """EXIF of entries: tag, type, count, and four bytes of value."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    body = b"".join(struct.pack(f"{order}HHI", *entry[:3]) + entry[3] for entry in entries)
    return mark + struct.pack(f"{order}IH", 8, len(entries)) + body + bytes(4)


TURNED = (0x0112, 3, 1, b"\0\6\0\0")
ODD_EXIF = {
    "resolution as text": tiff(TURNED, (0x011A, 2, 4, b"72/1")),
    "resolution of bytes": tiff(TURNED, (0x011A, 1, 8, b"\0\0\0\x20")),
    "a rational far outside": tiff((0x011A, 5, 1, b"\xff\xff\xff\xf0"), TURNED),
    "division by zero": tiff(TURNED, (0x829A, 5, 1, b"\0\0\0\x08")),
    "a type that is not defined": tiff((0x0110, 99, 7, b"\xff" * 4), TURNED),
    "not a number": tiff(TURNED, (0x011A, 11, 1, b"\x7f\xc0\0\0")),
    "more entries than there are": tiff(TURNED)[:8] + b"\xff\xff" + tiff(TURNED)[10:],
    "little endian": tiff((0x0112, 3, 1, b"\6\0\0\0"), order="<"),
}


@pytest.mark.parametrize("kind", ODD_EXIF)
def test_a_picture_with_odd_exif_is_shown_upright(tmp_path: Path, kind: str) -> None:
    jpeg = with_segments(saved(plain(size=(64, 32)), "JPEG"), (0xE1, b"Exif\0\0" + ODD_EXIF[kind]))
    assert load(tmp_path, jpeg).size == (32, 64)
    content = png(line(*[(9,)] * 4) * 2, extra=chunk(b"eXIf", ODD_EXIF[kind]))
    assert load(tmp_path, content).size == (2, 4)


@pytest.mark.parametrize(
    "entry",
    [(0x0112, 3, 1, b"\0\x09\0\0"), (0x0112, 3, 2, b"\0\6\0\6"), (0x0112, 4, 1, b"\0\0\0\6")],
)
def test_an_orientation_that_is_not_defined_turns_nothing(
    entry: tuple[int, int, int, bytes],
) -> None:
    assert exif_orientation(tiff(entry)) == 1


def test_no_exif_however_broken_raises() -> None:
    rng = random.Random(4)
    whole = b"Exif\0\0" + ODD_EXIF["resolution as text"]
    for length in range(len(whole)):
        assert exif_orientation(whole[:length]) in (1, 6)
    for _ in range(2_000):
        noise = bytearray(whole)
        for _ in range(3):
            noise[rng.randrange(6, len(noise))] = rng.randrange(256)
        assert 1 <= exif_orientation(bytes(noise)) <= 8


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"'
    b"/></rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_xmp_turns_no_picture(tmp_path: Path, kind: str) -> None:
    if kind == "PNG":
        text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)
        content = png(line(*[(9,)] * 4) * 2, extra=text)
    else:
        content = saved(plain(size=(4, 2)), kind, xmp=XMP)
    assert b"Orientation" in content
    assert load(tmp_path, content).size == (4, 2)


def test_the_exif_of_an_avif_does_not_turn_it_but_its_own_box_does(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved(plain(size=(32, 16)), "AVIF", exif=exif)
    assert content.count(b"irot") >= 1
    assert load(tmp_path, content).size == (16, 32)
    exif = Image.Exif()
    exif[0x010E] = "x" * 12
    content = saved(plain(size=(32, 16)), "AVIF", exif=exif)
    at = content.index(b"\x01\x0e", content.index(b"MM\0*"))
    turned = content[:at] + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + content[at + 12 :]
    assert load(tmp_path, turned).size == (32, 16)


def bad_check_sum(name: bytes, content: bytes) -> bytes:
    return chunk(name, content)[:-4] + b"oops"


ANCILLARY: dict[str, Callable[[], bytes]] = {
    "a wrong check sum": lambda: bad_check_sum(b"tEXt", b"Title\0x"),
    "a wrong check sum of a profile": lambda: bad_check_sum(b"iCCP", b"x\0\0x"),
    "2 MB of packed text": lambda: chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2_000_000))),
    "2 MB of packed profile": lambda: chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2_000_000))),
    "short pHYs": lambda: chunk(b"pHYs", b"\0"),
    "short cHRM": lambda: gama(45_455) + chunk(b"cHRM", b"\0"),
    "empty sRGB": lambda: chunk(b"sRGB", b""),
    "empty gAMA": lambda: chunk(b"gAMA", b""),
    "short tRNS": lambda: chunk(b"tRNS", b"\0"),
    "short acTL": lambda: chunk(b"acTL", b"\0"),
    "short cICP": lambda: chunk(b"cICP", b"\0"),
    "a palette that it does not need": lambda: chunk(b"PLTE", b"\0" * 7),
    "a name of no letters": lambda: chunk(b"\0\1\2\3", b"\0"),
}


@pytest.mark.parametrize("kind", ANCILLARY)
def test_a_png_is_shown_whatever_its_ancillary_chunks_are_like(tmp_path: Path, kind: str) -> None:
    assert near_pixels(pixels(load(tmp_path, named(ANCILLARY[kind]()))), [ORANGE, GREEN, GREY])


def test_a_png_whose_picture_is_broken_is_called_a_broken_png(tmp_path: Path) -> None:
    content = bytearray(named())
    content[content.index(b"IHDR") + 5] ^= 1
    with pytest.raises(AssetFailed, match="'board' is a broken PNG picture"):
        load(tmp_path, bytes(content))
    with pytest.raises(AssetFailed, match="'board' is a broken PNG picture"):
        load(tmp_path, named()[:30])


def test_a_first_frame_that_covers_a_part_leaves_the_rest_transparent(tmp_path: Path) -> None:
    """GIF and WebP; of both the frame is 4 x 2 at (2, 2) of a canvas of 8 x 8."""
    gif = bytearray(saved(plain("P", 1, (4, 2)), "GIF"))
    gif[6:10] = struct.pack("<2H", 8, 8)
    at = bytes(gif).index(b",\0\0\0\0") + 1
    gif[at : at + 4] = struct.pack("<2H", 2, 2)
    image = saved(plain(size=(4, 2)), "WEBP", lossless=True)[12:]
    canvas = (7).to_bytes(3, "little") * 2
    control = b"\1\0\0\1\0\0" + b"\3\0\0\1\0\0" + b"\x64\0\0\0"
    parts = [
        (b"VP8X", b"\2\0\0\0" + canvas),
        (b"ANIM", b"\xff" * 4 + b"\0\0"),
        (b"ANMF", control + image),
    ]
    body = b"".join(name + struct.pack("<I", len(data)) + data for name, data in parts)
    webp = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    for content in (bytes(gif), webp):
        shown = load(tmp_path, content)
        assert (shown.size, shown.mode) == ((8, 8), "RGBA")
        alpha = np.asarray(shown)[:, :, 3]
        wanted = np.zeros((8, 8), np.uint8)
        wanted[2:4, 2:6] = 255
        assert np.array_equal(alpha, wanted)


def apng() -> bytes:
    """An animated PNG of a blue pixel on a canvas of 4 x 2; its default picture is red."""
    control = struct.pack(">5I2H2B", 0, 1, 1, 2, 1, 1, 10, 0, 0)
    first = chunk(b"acTL", struct.pack(">2I", 1, 0))
    frame = chunk(b"fcTL", control) + chunk(b"fdAT", bytes(4) + zlib.compress(line(BLUE)))
    whole = png(line(*[RED] * 4) * 2, colour=2, extra=first)
    return whole[:-12] + frame + whole[-12:]


def test_the_default_picture_of_an_animated_png_is_shown_only_if_it_is_in_the_animation(
    tmp_path: Path,
) -> None:
    shown = load(tmp_path, apng())
    assert shown.size == (4, 2)
    assert pixels(shown) == [*[(0, 0, 0, 0)] * 6, (*BLUE, 255), (0, 0, 0, 0)]
    assert pixels(load(tmp_path, animated("PNG")))[0] == RED


@pytest.mark.parametrize(
    ("size", "options", "shown"),
    [
        ((8160, 6144), {}, True),
        ((9248, 6936), {}, True),
        ((9248, 6936), {"progressive": True}, True),
        ((12_000, 9_000), {}, True),
        ((12_000, 9_000), {"progressive": True}, False),
        ((12_000, 12_000), {}, False),
    ],
)
def test_pictures_of_phones_are_shown_and_decoded_as_small_as_needed(
    tmp_path: Path, size: tuple[int, int], options: dict[str, Any], *, shown: bool
) -> None:
    path = tmp_path / "phone.jpg"
    Image.new("L", size, 128).save(path, **options)
    if shown:
        assert max(load_picture(path, needed=(1280, 720)).size) < 2_600
    else:
        with pytest.raises(AssetFailed, match=r"pixels.* send a smaller picture"):
            load_picture(path, needed=(1280, 720))
    assert MAX_SEQUENTIAL_PIXELS < 12_000 * 12_000


def test_a_picture_of_one_long_line_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    for size in ((1, 49_000_000), (49_000_000, 1)):
        with pytest.raises(AssetFailed, match="65535"):
            load(tmp_path, png(b"", size=size), needed=(640, 360))
