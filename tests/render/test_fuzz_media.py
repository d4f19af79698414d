"""Sounds and pictures with random faults are played or shown, or refused by the name of the asset.

``FUZZ_SECONDS`` says for how long each of the two is tried, ``FUZZ_SEED`` with which faults; a
failure prints the seed.
"""

from __future__ import annotations

import os
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.errors import AssetFailed
from app.render.picture.decoding import load_picture
from app.render.sound.decoding import decode, probe_seconds
from tests.render.films import write_wav
from tests.render.pictures import animated, chunk, gama, line, png, saved
from tests.render.sounds import tone, write_coded

SECONDS = float(os.environ.get("FUZZ_SECONDS", "6"))
#: Values that lengths, counts and offsets are set to.
EXTREMES = (b"\0" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7, b"\0\0\0\1" * 2)
#: So many bytes of a file hold most of what describes it.
HEADS = (32, 128, 512, 1 << 20)

Mutation = Callable[[random.Random, bytearray, int], None]


def set_byte(rng: random.Random, data: bytearray, at: int) -> None:
    data[at] = rng.randrange(256)


def flip_bit(rng: random.Random, data: bytearray, at: int) -> None:
    data[at] ^= 1 << rng.randrange(8)


def set_number(rng: random.Random, data: bytearray, at: int) -> None:
    size = rng.choice((2, 4, 8))
    data[at : at + size] = rng.choice(EXTREMES)[:size]


def cut(rng: random.Random, data: bytearray, at: int) -> None:
    del data[at : at + rng.choice((1, 4, 16, 300))]


def insert(rng: random.Random, data: bytearray, at: int) -> None:
    data[at:at] = rng.randbytes(rng.choice((1, 4, 16)))


def repeat(rng: random.Random, data: bytearray, at: int) -> None:
    data[at:at] = data[: rng.choice((8, 64, 512))]


MUTATIONS: tuple[Mutation, ...] = (set_byte, set_byte, flip_bit, set_number, cut, insert, repeat)


def mutated(rng: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        reach = min(rng.choice(HEADS), len(data))
        rng.choice(MUTATIONS)(rng, data, rng.randrange(reach) if reach else 0)
        data = data or bytearray(b"\0")
    return bytes(data)


def checked_png(data: bytes) -> bytes:
    """Return a PNG whose check sums are right, so that faults are looked at."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        end = at + 8 + int.from_bytes(out[at : at + 4], "big")
        if end + 4 > len(out):
            break
        out[end : end + 4] = zlib.crc32(out[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out)


def ogg_sum(page: bytearray) -> int:
    """The check sum of a page (RFC 3533): CRC-32 with the polynomial 0x04c11db7, not reflected."""
    total = 0
    for byte in page:
        total ^= byte << 24
        for _ in range(8):
            total = (total << 1 ^ 0x04C1_1DB7 if total & 1 << 31 else total << 1) & 0xFFFF_FFFF
    return total


def checked_ogg(data: bytes) -> bytes:
    out, at = bytearray(data), 0
    while at + 27 <= len(out) and out[at : at + 4] == b"OggS":
        lacing = out[at + 27 : at + 27 + out[at + 26]]
        end = at + 27 + out[at + 26] + sum(lacing)
        out[at + 22 : at + 26] = bytes(4)
        out[at + 22 : at + 26] = ogg_sum(out[at:end]).to_bytes(4, "little")
        at = end
    return bytes(out)


def sounds(directory: Path) -> list[bytes]:
    short, both = tone(0.3), np.stack([tone(0.3)] * 2, axis=1)
    written = [write_wav(directory / "a.wav", seconds=0.3)]
    for name, codec, sound in (
        ("b.wav", "pcm_f32le", both), ("c.wav", "adpcm_ms", short), ("a.mp3", "mp3", both),
        ("a.ogg", "libopus", short), ("b.ogg", "flac", short), ("a.flac", "flac", both),
        ("a.m4a", "aac", short), ("b.m4a", "alac", both), ("a.webm", "libopus", short),
        ("a.aac", "aac", short),
    ):  # fmt: skip
        written.append(write_coded(directory / name, codec, (0, sound)))
    return [path.read_bytes() for path in written]


def pictures() -> list[bytes]:
    noise = np.random.default_rng(1).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x0112], exif[0x011A] = 6, 72.0
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    said = {"exif": exif, "icc_profile": profile}
    extra = gama(100_000) + chunk(b"cICP", b"\x09\x10\0\1") + chunk(b"tRNS", b"\0\1")
    return [
        *(saved(image, kind, **said) for kind in ("PNG", "JPEG", "WEBP", "AVIF")),
        saved(image, "JPEG", progressive=True, **said),
        saved(image.convert("CMYK"), "JPEG"),
        saved(image.convert("P"), "PNG", transparency=3),
        png(line(*[(99,)] * 4, depth=16) * 2, depth=16, extra=extra),
        *(animated(kind) for kind in ("GIF", "PNG", "WEBP", "MPO")),
    ]


def play(path: Path) -> None:
    seconds = probe_seconds(path, asset_id="take")
    samples = sum(map(len, decode(path, asset_id="take")))
    assert samples / 48_000 == pytest.approx(seconds, abs=0.01)


def show(path: Path) -> None:
    image = load_picture(path, asset_id="take", needed=(16, 12))
    assert image.mode in ("RGB", "RGBA")


@pytest.mark.parametrize("kind", ["sound", "picture"])
def test_a_file_with_random_faults_is_played_or_refused_by_name(kind: str, tmp_path: Path) -> None:
    number = int(os.environ.get("FUZZ_SEED") or random.getrandbits(32))
    print(f"the same again: FUZZ_SEED={number}")
    rng, seen = random.Random(number), Counter[str]()
    files = sounds(tmp_path) if kind == "sound" else pictures()
    path = tmp_path / "take"
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        content = mutated(rng, rng.choice(files))
        if rng.random() < 0.8:
            content = checked_ogg(checked_png(content) if content[:1] == b"\x89" else content)
        path.write_bytes(content)
        try:
            (play if kind == "sound" else show)(path)
            seen["played"] += 1
        except AssetFailed as error:
            seen["refused" if "'take'" in error.detail else error.detail] += 1
    print(dict(seen))
    assert set(seen) == {"played", "refused"}
