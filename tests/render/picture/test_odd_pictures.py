"""Pictures as people really have them: each kind is shown right, or refused by its name."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.errors import AssetFailed
from app.render.picture import decoding
from app.render.picture.decoding import PictureFailed, load_picture, pointing_into
from tests.render.picture.test_decoding import near
from tests.render.pictures import (
    BLUE,
    RED,
    adam7,
    animated,
    chunk,
    grey_profile,
    line,
    plain,
    png,
    saved,
    with_segments,
)
from tests.render.requests import request_of

GREY = (128, 128, 128)
JPEG = saved(plain(), "JPEG", quality=95)
#: A directory of EXIF that ends in nonsense.
BROKEN_EXIF = b"MM\0*\0\0\0\x08" + b"\xff" * 60


def grey(extra: bytes = b"") -> bytes:
    return png(line(*[(128,)] * 4) * 2, extra=extra)


def deep(*pixel: int, colour: int, key: bytes = b"") -> bytes:
    """A picture of 16 bits, all of one pixel; ``key`` is the colour that is transparent."""
    extra = chunk(b"tRNS", key) if key else b""
    return png(line(*[pixel] * 4, depth=16) * 2, depth=16, colour=colour, extra=extra)


#: What takes long to make is made by its own test.
Content = bytes | Callable[[], bytes]
SHOWN: dict[str, tuple[Content, tuple[int, ...]]] = {
    "CMYK": (saved(plain("CMYK", (0, 255, 255, 0)), "JPEG", quality=95), (255, 0, 0)),
    "progressive": (saved(plain(), "JPEG", progressive=True, quality=95), RED),
    "several JPEGs in one": (animated("MPO"), RED),
    "grey JPEG": (saved(plain("L", 128), "JPEG"), GREY),
    "animated GIF": (animated("GIF"), RED),
    "animated WebP": (animated("WEBP", lossless=True), RED),
    "animated PNG": (animated("PNG"), RED),
    "animated AVIF": (lambda: animated("AVIF"), RED),
    "AVIF": (lambda: saved(plain(), "AVIF", quality=90), RED),
    "WebP alpha": (saved(plain("RGBA", (*RED, 90)), "WEBP", lossless=True), (*RED, 90)),
    "AVIF alpha": (
        lambda: saved(plain("RGBA", (*RED, 90)), "AVIF", quality=95),
        (*RED, 90),
    ),
    "16-bit RGBA": (deep(0x8000, 0x8000, 0x8000, 0x4000, colour=6), (*GREY, 64)),
    "16-bit grey alpha": (deep(0x8000, 0x4000, colour=4), (*GREY, 64)),
    "16-bit RGB": (deep(0x8000, 0x8000, 0x8000, colour=2), GREY),
    "16-bit RGB, one transparent": (
        deep(0x8000, 0x8000, 0x8000, colour=2, key=b"\x80\0" * 3),
        (*GREY, 0),
    ),
    "16-bit grey": (deep(0x8000, colour=0), GREY),
    "16-bit grey, one transparent": (deep(0x8000, colour=0, key=b"\x80\0"), (*GREY, 0)),
    "16-bit grey, another transparent": (deep(0x8000, colour=0, key=b"\x80\1"), GREY),
    "grey, one transparent": (grey(chunk(b"tRNS", b"\0\x80")), (*GREY, 0)),
    "2-bit grey": (png(b"\0\xe4" * 2, depth=2), (255, 255, 255)),
    "palette, half transparent": (
        png(bytes(10), colour=3, extra=chunk(b"PLTE", bytes(RED)) + chunk(b"tRNS", b"\x80")),
        (*RED, 128),
    ),
    "50 MB of lines too many": (lambda: png(bytes(50_000_000)), (0, 0, 0)),
    "10 MB of comment": (
        lambda: grey(chunk(b"tEXt", b"a\0" + bytes(10_000_000))),
        GREY,
    ),
    "20 MB of packed text": (
        lambda: grey(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))),
        GREY,
    ),
    "20 MB of packed profile": (
        lambda: grey(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(20_000_000)))),
        GREY,
    ),
    "6 MB of segments": (with_segments(JPEG, *[(0xE2, bytes(65_533))] * 99), RED),
    "broken EXIF": (with_segments(JPEG, (0xE1, b"Exif\0\0" + BROKEN_EXIF)), RED),
    "broken EXIF of a PNG": (grey(chunk(b"eXIf", BROKEN_EXIF)), GREY),
}
REFUSED: dict[str, Content] = {
    "20,000 x 20,000 without pixels": png(b"", size=(20_000, 20_000)),
    "20,000 x 20,000": lambda: saved(plain("1", 0, (20_000, 20_000)), "PNG"),
    "2 billion x 2 billion": png(b"", size=(2**31 - 1, 2**31 - 1)),
    "no width": png(b"", size=(0, 2)),
    "too few lines": png(line((1,)), size=(100, 100)),
    "WebP of nothing": b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff\x2f" + b"\xff" * 64,
    "GIF of nothing": b"GIF89a\xff\xff\xff\xff\xf7\0\0",
    "truncated AVIF": lambda: saved(plain(), "AVIF")[:-20],
    "TIFF": saved(plain(), "TIFF"),
    "ICO": saved(plain(), "ICO"),
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "PDF": b"%PDF-1.7\n",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "0 bytes": b"",
}


def load(tmp_path: Path, content: Content) -> Image.Image:
    path = tmp_path / "picture"
    path.write_bytes(content if isinstance(content, bytes) else content())
    return load_picture(path, asset_id="board")


def at(image: Image.Image, x: int = 0, y: int = 0) -> tuple[int, ...]:
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


@pytest.mark.parametrize("kind", SHOWN)
def test_an_odd_picture_is_shown_right(tmp_path: Path, kind: str) -> None:
    content, expected = SHOWN[kind]
    image = load(tmp_path, content)
    assert image.mode == ("RGBA" if len(expected) == 4 else "RGB")
    assert near(at(image), expected, 6)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bomb_or_no_picture_is_refused_by_the_name_of_the_asset(
    tmp_path: Path, kind: str
) -> None:
    with pytest.raises(AssetFailed, match="'board'") as caught:
        load(tmp_path, REFUSED[kind])
    assert caught.value.errors[0].code == "picture-unusable"


def test_an_interlaced_picture_is_whole(tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (11, 13, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(load(tmp_path, adam7(Image.fromarray(noise)))), noise)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    upright = plain(size=(40, 20))
    upright.paste(BLUE, (0, 0, 10, 20))
    stored = upright
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    if orientation in back:
        # How the camera stored it: undone by the transposition that its number stands for.
        stored = upright.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95}
    image = load(tmp_path, saved(stored, kind, exif=exif, **options))
    assert image.size == (40, 20)
    assert near(at(image, 3, 10), BLUE, 12)
    assert near(at(image, 30, 10), RED, 12)


def test_a_grey_picture_is_shown_by_its_profile(tmp_path: Path) -> None:
    shown = at(load(tmp_path, saved(plain("L", 100), "PNG", icc_profile=grey_profile())))
    assert near(shown, (168, 168, 168), 4)


@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK", "LA"])
def test_a_profile_of_other_channels_is_ignored(tmp_path: Path, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image = load(tmp_path, saved(plain(mode, 0), kind, icc_profile=lab))
    assert image.mode in ("RGB", "RGBA")


def test_a_damaged_picture_is_shown_or_refused_and_nothing_else(tmp_path: Path) -> None:
    """Four hundred files with a few bytes changed: no surprise comes out of any decoder."""
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 255, (24, 24, 3), dtype=np.uint8))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = ["JPEG", "PNG", "WEBP", "GIF", "AVIF"]
    files = [saved(noise, kind, icc_profile=profile, exif=exif) for kind in kinds]
    choose, refused = random.Random(11), 0
    for _ in range(400):
        content = bytearray(choose.choice(files))
        for _ in range(choose.randint(1, 6)):
            content[choose.randrange(len(content))] = choose.randrange(256)
        try:
            assert load(tmp_path, bytes(content)).mode in ("RGB", "RGBA")
        except PictureFailed:
            refused += 1
    assert 20 < refused < 380


def test_a_picture_that_needs_too_much_memory_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decoding, "_loaded", exhausted)
    with pytest.raises(PictureFailed, match="more memory"):
        load(tmp_path, b"")


def test_an_error_is_pointed_to_its_asset() -> None:
    request = request_of({"previewRequest": {}}, {"box": Path("a"), "board": Path("b")})
    with pytest.raises(AssetFailed) as caught, pointing_into(request):
        raise PictureFailed("asset 'board' is a broken picture", asset_id="board")
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == ("/previewRequest/assets/1", "picture-unusable")
    assert caught.value.code == "asset-failed"
