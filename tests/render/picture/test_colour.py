"""Colours of pictures that name their space by numbers. Expected ones are those of Chromium 156
where a comment says nothing else: each file was drawn on a canvas there."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from tests.render.pictures import (
    GREEN,
    GREY,
    ORANGE,
    Pixels,
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
)


def chrm(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, matrix, full]))


ADOBE = chrm(0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
D50 = chrm(0.3457, 0.3585, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
SRGB = chunk(b"sRGB", b"\0")
SAME = [ORANGE, GREEN, GREY]
COLOURS: dict[str, tuple[bytes, Pixels]] = {
    "nothing": (b"", SAME),
    "Display P3": (cicp(12, 13), [(217, 42, 0), (0, 183, 30), GREY]),
    "P3 of cinemas": (cicp(11, 13), [(212, 42, 1), (0, 183, 30), GREY]),
    "BT.2020": (cicp(9, 13), [(247, 0, 0), (0, 190, 14), GREY]),
    "BT.470 M, white C": (cicp(4, 13), [(236, 48, 0), (0, 177, 46), GREY]),
    "SMPTE 170M": (cicp(6, 13), [(195, 66, 28), (59, 177, 59), GREY]),
    "CIE XYZ": (cicp(10, 13), [(255, 0, 58), (0, 240, 0), GREY]),
    "EBU 3213": (cicp(22, 13), [(202, 66, 29), (25, 176, 60), GREY]),
    "curve of television": (cicp(1, 1), [(197, 49, 18), (28, 176, 49), (121, 121, 121)]),
    "gamma 2.2": (cicp(1, 4), [(201, 57, 24), (35, 181, 57), (129, 129, 129)]),
    "gamma 2.8": (cicp(1, 5), [(189, 36, 8), (17, 165, 36), (106, 106, 106)]),
    "linear": (cicp(1, 8), [(229, 133, 96), (110, 219, 133), (188, 188, 188)]),
    "SMPTE ST 428": (cicp(1, 17), [(200, 44, 13), (23, 177, 44), (118, 118, 118)]),
    "PQ": (cicp(9, 16), [(255, 0, 0), (0, 255, 0), (132, 132, 132)]),
    "HLG": (cicp(9, 18), [(230, 0, 0), (0, 170, 0), (99, 99, 99)]),
    "unspecified": (cicp(2, 2), SAME),
    "unknown": (cicp(77, 13), SAME),
    "not RGB": (cicp(12, 13, matrix=1), SAME),  # Chromium refuses the picture
    "not full range": (cicp(12, 13, full=0), SAME),
    "cICP before all others": (
        cicp(12, 13) + SRGB + gama(100_000), [(217, 42, 0), (0, 183, 30), GREY]
    ),
    "gAMA 1": (gama(100_000), [(229, 133, 96), (110, 219, 133), (188, 188, 188)]),
    "gAMA 0.5": (gama(50_000), [(206, 67, 31), (43, 187, 67), (137, 137, 137)]),
    "gAMA about that of sRGB": (gama(45_470), SAME),
    "gAMA 0": (gama(0), SAME),
    "gAMA and cHRM": (gama(45_470) + ADOBE, [(231, 57, 21), (0, 181, 42), (129, 129, 129)]),
    "a white of 5000 K": (gama(45_455) + D50, [(210, 60, 33), (0, 181, 65), (129, 129, 129)]),
    "cHRM alone": (ADOBE, SAME),
    "cHRM of no colours": (gama(100_000) + chrm(*[0.3] * 8), SAME),
    "cHRM of zeros": (gama(100_000) + chrm(*[0] * 8), SAME),
    "sRGB before gAMA": (SRGB + gama(100_000) + ADOBE, SAME),
}  # fmt: skip


@pytest.mark.parametrize("kind", COLOURS)
def test_a_png_that_names_its_colours_by_numbers_is_shown_in_them(
    tmp_path: Path, kind: str
) -> None:
    extra, wanted = COLOURS[kind]
    assert near_pixels(pixels(load(tmp_path, named(extra))), wanted)


def test_a_profile_counts_before_gama(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    extra = chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(profile)) + gama(100_000)
    assert near_pixels(pixels(load(tmp_path, named(extra))), SAME)


@pytest.mark.parametrize(
    ("transfer", "wanted"),
    [
        (16, [(229, 98, 66), (0, 117, 200), (123, 68, 201), (255, 89, 15), (95, 220, 114)]),
        (18, [(132, 90, 76), (62, 93, 119), (96, 73, 118), (164, 97, 66), (100, 136, 102)]),
    ],
)
def test_high_dynamic_range_is_tone_mapped(tmp_path: Path, transfer: int, wanted: Pixels) -> None:
    given = [(150, 120, 100), (100, 120, 150), (120, 100, 150), (170, 130, 90), (140, 160, 130)]
    content = png(line(*given), size=(5, 1), colour=2, extra=cicp(9, transfer))
    assert near_pixels(pixels(load(tmp_path, content)), wanted)


def test_brighter_pq_is_never_darker(tmp_path: Path) -> None:
    greys = [(value,) * 3 for value in range(256)]
    image = load(tmp_path, png(line(*greys), size=(256, 1), colour=2, extra=cicp(9, 16)))
    found = [value for value, *_ in pixels(image)]
    assert found == sorted(found)
    # White paper of 203 cd/m² lies at 58 % of PQ.
    assert (found[0], found[148], found[-1]) == (0, 187, 255)


def test_alpha_is_kept_when_colours_change(tmp_path: Path) -> None:
    content = png(line((*GREEN, 90)), size=(1, 1), colour=6, extra=cicp(12, 13))
    assert near_pixels(pixels(load(tmp_path, content)), [(0, 183, 30, 90)])


#: Primaries and transfer characteristics of an AVIF, and what its three colours become.
NCLX: dict[tuple[int, int], Pixels] = {
    (1, 13): [ORANGE, GREEN, GREY],
    (1, 1): [ORANGE, GREEN, GREY],  # in a PNG this is a gamma of 2.4
    (12, 13): [(217, 43, 0), (0, 184, 28), GREY],
    (9, 16): [(255, 0, 0), (0, 255, 0), (132, 132, 132)],
    (9, 18): [(230, 0, 0), (0, 172, 0), (99, 99, 99)],
    (1, 8): [(229, 134, 96), (108, 219, 132), (188, 188, 188)],
}


@pytest.mark.parametrize("points", NCLX)
def test_an_avif_is_shown_in_the_colours_that_its_box_names(
    tmp_path: Path, points: tuple[int, int]
) -> None:
    image = plain(size=(48, 16))
    for number, colour in enumerate(SAME):
        image.paste(colour, (16 * number, 0, 16 * number + 16, 16))
    content = saved(image, "AVIF", quality=100, subsampling="4:4:4")
    at = content.index(b"nclx") + 4
    content = content[:at] + struct.pack(">2H", *points) + content[at + 4 :]
    found = load(tmp_path, content).crop((0, 0, 48, 1)).resize((3, 1), Image.Resampling.NEAREST)
    assert near_pixels(pixels(found), NCLX[points], 3)
