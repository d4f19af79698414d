from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.errors import AssetFailed
from app.render.picture.decoding import load_picture

RED = (200, 30, 40)


def pixel(image: Image.Image, x: int = 0, y: int = 0) -> tuple[int, ...]:
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def near(one: tuple[int, ...], other: tuple[int, ...], by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_allowed_formats_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.bin"  # the content decides, not the name
    Image.new("RGB", (40, 20), RED).save(path, kind)
    image = load_picture(path)
    assert (image.size, image.mode) == ((40, 20), "RGB")
    assert near(pixel(image, 5, 5), RED, 4)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM", "ICO", "EPS"])
def test_other_formats_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.png"
    Image.new("RGB", (40, 20), RED).save(path, kind)
    with pytest.raises(AssetFailed, match="'logo'"):
        load_picture(path, asset_id="logo")


@pytest.mark.parametrize(
    "content", [b"", b"x", b"<svg/>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a"]
)
def test_what_is_no_picture_is_an_asset_failed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(AssetFailed) as caught:
        load_picture(path, asset_id="logo")
    assert caught.value.code == "asset-failed"
    assert "'logo'" in caught.value.detail
    assert str(tmp_path) not in caught.value.detail


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_picture_is_an_asset_failed(tmp_path: Path, kind: str, share: float) -> None:
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, kind)
    path = tmp_path / "x"
    path.write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * share)])
    with pytest.raises(AssetFailed):
        load_picture(path)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8125, 8125), (10_000, 10_000), (60_000, 60_000)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(*size))
    with pytest.raises(AssetFailed, match="66000000"):
        load_picture(path)


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("RGB", (10, 10)).save(path)
    assert load_picture(path, max_pixels=100).size == (10, 10)
    with pytest.raises(AssetFailed):
        load_picture(path, max_pixels=99)


def test_a_picture_is_turned_upright_by_its_exif(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), RED)
    image.paste((0, 0, 255), (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90° clockwise
    image.save(tmp_path / "x.jpg", exif=exif, quality=95)
    turned = load_picture(tmp_path / "x.jpg")
    assert turned.size == (20, 40)
    assert near(pixel(turned, 10, 2), (0, 0, 255), 8)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (40, 20), (0, 255, 255, 0)).save(tmp_path / "x.jpg", quality=95)
    image = load_picture(tmp_path / "x.jpg")
    assert image.mode == "RGB"
    assert near(pixel(image), (255, 0, 0), 8)


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    """The same numbers in a linear profile are much lighter in sRGB."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    wide = gamma_one_profile(lab.tobytes())
    Image.new("RGB", (8, 8), (100, 100, 100)).save(tmp_path / "x.png", icc_profile=wide)
    assert pixel(load_picture(tmp_path / "x.png"))[0] > 150


def gamma_one_profile(srgb: bytes) -> bytes:
    """Replace the tone curves of an sRGB profile by straight lines."""
    data = bytearray(srgb)
    count = struct.unpack(">I", data[128:132])[0]
    for index in range(count):
        name, offset, size = struct.unpack(">4sII", data[132 + 12 * index : 144 + 12 * index])
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            data[offset : offset + size] = struct.pack(">4sII", b"curv", 0, 0).ljust(size, b"\0")
    return bytes(data)


def test_an_srgb_profile_leaves_colours_and_alpha_alone(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGBA", (8, 8), (*RED, 90)).save(tmp_path / "x.png", icc_profile=profile)
    assert near(pixel(load_picture(tmp_path / "x.png")), (*RED, 90), 1)


def test_a_broken_profile_is_ignored(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), RED).save(tmp_path / "x.png", icc_profile=b"no profile")
    assert pixel(load_picture(tmp_path / "x.png")) == RED


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 128, (128, 128, 128)),
        ("LA", (128, 64), (128, 128, 128, 64)),
        ("P", 3, None),
        ("RGBA", (*RED, 64), (*RED, 64)),
        ("RGBA", (*RED, 255), RED),
        ("I;16", 0x8000, (128, 128, 128)),
    ],
)
def test_every_mode_becomes_rgb_or_rgba(
    tmp_path: Path, mode: str, colour: int | tuple[int, ...], expected: tuple[int, ...] | None
) -> None:
    image = Image.new(mode, (8, 8), colour)
    image.save(tmp_path / "x.png")
    loaded = load_picture(tmp_path / "x.png")
    assert loaded.mode in ("RGB", "RGBA")
    if expected is not None:
        assert pixel(loaded) == expected


def test_a_transparent_palette_keeps_its_holes(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([0, 0, 0, *RED])
    image.paste(1, (0, 0, 4, 8))
    image.save(tmp_path / "x.gif", transparency=0)
    loaded = load_picture(tmp_path / "x.gif")
    assert pixel(loaded, 0, 0) == (*RED, 255)
    assert pixel(loaded, 7, 0)[3] == 0


def test_the_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 255, 0))]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert near(pixel(load_picture(tmp_path / "x.gif")), RED, 4)


def test_a_large_jpeg_is_decoded_no_larger_than_needed(tmp_path: Path) -> None:
    Image.new("RGB", (1600, 1200), RED).save(tmp_path / "x.jpg")
    image = load_picture(tmp_path / "x.jpg", needed=(300, 200))
    assert image.size == (400, 300)


@pytest.mark.parametrize(
    ("mode", "needed", "size"),
    [
        ("RGB", (300, 200), (800, 600)),
        ("RGBA", (200, 200), (534, 400)),
        ("RGB", (500, 200), (1600, 1200)),
        ("P", (300, 200), (1600, 1200)),
    ],
)
def test_a_picture_far_larger_than_needed_is_reduced_to_twice_that_at_least(
    tmp_path: Path, mode: str, needed: tuple[int, int], size: tuple[int, int]
) -> None:
    image = Image.new("RGB", (1600, 1200), RED)
    image.paste((0, 0, 255), (800, 0, 1600, 1200))
    image.convert(mode, palette=Image.Palette.ADAPTIVE).save(tmp_path / "x.png")
    loaded = load_picture(tmp_path / "x.png", needed=needed)
    assert loaded.size == size
    assert near(pixel(loaded, 5, 5)[:3], RED)
    assert near(pixel(loaded, size[0] - 5, 5)[:3], (0, 0, 255))


def test_a_transparent_colour_is_not_averaged_away(tmp_path: Path) -> None:
    image = Image.new("RGB", (1600, 1200), RED)
    image.save(tmp_path / "x.png", transparency=RED)
    loaded = load_picture(tmp_path / "x.png", needed=(100, 100))
    assert pixel(loaded, 5, 5) == (*RED, 0)


def test_an_absent_file_is_an_asset_failed(tmp_path: Path) -> None:
    with pytest.raises(AssetFailed, match="cannot be read"):
        load_picture(tmp_path / "none.png")
