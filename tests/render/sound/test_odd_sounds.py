"""Sounds as programs really write them: each kind is played, or refused for what it is."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import AssetFailed
from app.render.sound.decoding import decode, probe_seconds
from app.render.sound.ogg import read_ogg
from tests.render.films import write_wav
from tests.render.sounds import tone, write_coded

#: Lengths that programs state in a WAV file that they write to a pipe.
PLACEHOLDERS = [0, 0x7FFF_0000, 0x7FFF_F000, 0x7FFF_F024, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]
#: Where a sound of the tests counts as heard.
HEARD = 0.2


def samples(path: Path) -> NDArray[np.float32]:
    """Return what is decoded, which is as long as what was measured."""
    sound = np.concatenate(list(decode(path, asset_id="take")))
    assert len(sound) / 48_000 == pytest.approx(probe_seconds(path, asset_id="take"), abs=0.002)
    return sound


def hertz(sound: NDArray[np.float32]) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound[:, 0]))) * 48_000 / len(sound))


@pytest.mark.parametrize("stated", PLACEHOLDERS)
@pytest.mark.parametrize("at", [4, 40])
def test_a_wav_that_was_written_to_a_pipe_is_whole(tmp_path: Path, stated: int, at: int) -> None:
    content = bytearray(write_wav(tmp_path / "take.wav").read_bytes())
    content[at : at + 4] = struct.pack("<I", stated)
    (tmp_path / "take.wav").write_bytes(content)
    assert len(samples(tmp_path / "take.wav")) == 48_000


@pytest.mark.parametrize("stated", [200_000, 150 * 1024 * 1024])
def test_a_wav_without_some_of_its_samples_is_truncated(tmp_path: Path, stated: int) -> None:
    content = bytearray(write_wav(tmp_path / "take.wav").read_bytes())
    content[40:44] = struct.pack("<I", stated)
    (tmp_path / "take.wav").write_bytes(content)
    with pytest.raises(AssetFailed, match=r"truncated: only 1\.00 s"):
        probe_seconds(tmp_path / "take.wav")


def test_a_wav_that_lacks_only_chunks_behind_its_samples_is_whole(tmp_path: Path) -> None:
    content = bytearray(write_wav(tmp_path / "take.wav").read_bytes())
    content[4:8] = struct.pack("<I", len(content) + 5_000)
    (tmp_path / "take.wav").write_bytes(content)
    assert len(samples(tmp_path / "take.wav")) == 48_000


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_wav_with_lengths_of_64_bits_is_played_unless_truncated(
    tmp_path: Path, kind: bytes, *, whole: bool
) -> None:
    content = write_wav(tmp_path / "take.wav").read_bytes()
    data = content[44:]
    lengths = struct.pack("<QQQI", len(content) + 28, len(data), len(data) // 2, 0)
    head = kind + b"\xff" * 4 + b"WAVEds64" + struct.pack("<I", 28) + lengths
    body = content[12:40] + b"\xff" * 4 + (data if whole else data[:-2_000])
    (tmp_path / "take.wav").write_bytes(head + body)
    if whole:
        assert len(samples(tmp_path / "take.wav")) == 48_000
    else:
        with pytest.raises(AssetFailed, match="truncated"):
            probe_seconds(tmp_path / "take.wav")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", 2_000_000_000),
        ("rate", 0),
        ("rate", 1),
        ("channels", 9),
        ("channels", 64),
        ("channels", 65_535),
    ],
)
def test_a_wav_that_states_nonsense_is_an_asset_failed(
    tmp_path: Path, field: str, value: int
) -> None:
    content = bytearray(write_wav(tmp_path / "take.wav").read_bytes())
    channels = value if field == "channels" else 1
    struct.pack_into("<H", content, 22, channels)
    struct.pack_into("<H", content, 32, 2 * channels & 0xFFFF)
    if field == "rate":
        struct.pack_into("<I", content, 24, value)
    (tmp_path / "take.wav").write_bytes(content)
    with pytest.raises(AssetFailed, match="'take'"):
        probe_seconds(tmp_path / "take.wav", asset_id="take")


@pytest.mark.parametrize("word", ["Info", "Xing"])
@pytest.mark.parametrize(
    ("name", "codec"),
    [("take.flac", "flac"), ("take.m4a", "aac"), ("take.webm", "libopus"), ("take.mp3", "mp3")],
)
def test_a_tag_is_no_header_of_an_mp3(tmp_path: Path, name: str, codec: str, word: str) -> None:
    tags = {"title": f"{word} about this file: all of it", "comment": word + "\x7f" * 12}
    path = write_coded(tmp_path / name, codec, (0, tone(1)), tags=tags)
    assert word.encode() in path.read_bytes()[:4096]
    assert len(samples(path)) == pytest.approx(48_000, abs=4_000)


def mp3(path: Path, seconds: float, *, rate: int = 44_100, stereo: bool = False) -> bytes:
    sound = tone(seconds, rate=rate)
    part = np.stack([sound, sound], axis=1) if stereo else sound
    return write_coded(path, "mp3", (0, part), rate=rate).read_bytes()


#: What is put around or between the frames of an MP3.
TAG = b"ID3\3\0\0\0\0\x02\x04" + bytes(260)
JUNK: dict[str, Callable[[bytes], bytes]] = {
    "joined": lambda one: one + one,
    "a tag in the middle": lambda one: one[: len(one) // 2] + TAG + one[len(one) // 2 :],
    "zeros at the end": lambda one: one + bytes(10_000),
    "zeros between": lambda one: one + bytes(5_000) + one,
    "lyrics at the end": lambda one: one + b"LYRICSBEGIN" + b"la " * 400 + b"001211LYRICS200",
    "an old tag at the end": lambda one: one + b"TAG" + b"title".ljust(125, b"\0"),
    "APE tag at the end": lambda one: one + b"APETAGEX\xd0\7\0\0" + b"cover" * 300,
}


@pytest.mark.parametrize("kind", JUNK)
def test_an_mp3_is_played_with_what_lies_between_its_frames(tmp_path: Path, kind: str) -> None:
    one = mp3(tmp_path / "take.mp3", 1)
    (tmp_path / "take.mp3").write_bytes(JUNK[kind](one))
    seconds = JUNK[kind](b"x").count(b"x") * 1.0
    sound = samples(tmp_path / "take.mp3")
    assert len(sound) / 48_000 == pytest.approx(seconds, abs=0.2)
    assert hertz(sound) == pytest.approx(440, abs=2)


def test_mp3s_of_two_rates_are_joined_and_each_has_its_speed(tmp_path: Path) -> None:
    joined = mp3(tmp_path / "a.mp3", 1, rate=24_000)
    joined += mp3(tmp_path / "b.mp3", 1, rate=44_100, stereo=True)
    (tmp_path / "take.mp3").write_bytes(joined)
    sound = samples(tmp_path / "take.mp3")
    assert len(sound) / 48_000 == pytest.approx(2, abs=0.2)
    assert hertz(sound[10_000:40_000]) == pytest.approx(440, abs=3)
    assert hertz(sound[60_000:90_000]) == pytest.approx(440, abs=3)
    assert np.abs(sound[60_000:90_000]).max() == pytest.approx(0.4, abs=0.05)


def test_a_file_of_which_most_is_broken_is_refused(tmp_path: Path) -> None:
    content = bytearray(write_coded(tmp_path / "take.m4a", "aac", (0, tone(2))).read_bytes())
    data = content.index(b"mdat") + 8
    noise = np.random.default_rng(3).bytes(len(content) * 3 // 4 - data)
    content[data : data + len(noise)] = noise
    (tmp_path / "take.m4a").write_bytes(content)
    with pytest.raises(AssetFailed, match="cannot be read as sound"):
        probe_seconds(tmp_path / "take.m4a")


@pytest.mark.parametrize("codec", ["libopus", "flac"])
@pytest.mark.parametrize("stereo_first", [True, False])
def test_a_chained_ogg_is_played_though_its_links_differ(
    tmp_path: Path, codec: str, *, stereo_first: bool
) -> None:
    mono, stereo = tone(1), np.stack([tone(1.5), tone(1.5)], axis=1)
    first, second = (stereo, mono) if stereo_first else (mono, stereo)
    chain = b"".join(
        write_coded(tmp_path / f"{index}.ogg", codec, (0, part)).read_bytes()
        for index, part in enumerate((first, second, first))
    )
    (tmp_path / "take.ogg").write_bytes(chain)
    assert len(read_ogg(tmp_path / "take.ogg").links) == 3
    sound = samples(tmp_path / "take.ogg")
    whole = 2 * len(first) + len(second)
    assert len(sound) == pytest.approx(whole, abs=3_000)
    assert hertz(sound) == pytest.approx(440, abs=2)


def test_a_chained_ogg_that_is_cut_in_its_last_link_is_truncated(tmp_path: Path) -> None:
    one = write_coded(tmp_path / "one.ogg", "libopus", (0, tone(1))).read_bytes()
    (tmp_path / "take.ogg").write_bytes((one + one)[:-300])
    with pytest.raises(AssetFailed, match="truncated"):
        probe_seconds(tmp_path / "take.ogg")


def test_an_ogg_of_two_rates_has_each_at_its_speed(tmp_path: Path) -> None:
    chain = b"".join(
        write_coded(
            tmp_path / f"{rate}.ogg", "flac", (0, tone(1, rate=rate)), rate=rate
        ).read_bytes()
        for rate in (48_000, 22_050)
    )
    (tmp_path / "take.ogg").write_bytes(chain)
    sound = samples(tmp_path / "take.ogg")
    assert len(sound) == pytest.approx(96_000, abs=5)
    assert hertz(sound[60_000:90_000]) == pytest.approx(440, abs=2)


def test_an_ogg_with_other_bytes_around_its_pages_is_played(tmp_path: Path) -> None:
    content = write_coded(tmp_path / "take.ogg", "libopus", (0, tone(1))).read_bytes()
    (tmp_path / "take.ogg").write_bytes(content + b"OggNo" + bytes(200_000))
    assert len(samples(tmp_path / "take.ogg")) == pytest.approx(48_000, abs=1_000)


@pytest.mark.parametrize(("name", "codec"), [("take.webm", "libopus"), ("take.m4a", "aac")])
def test_a_late_start_and_a_pause_are_silence(tmp_path: Path, name: str, codec: str) -> None:
    """So does Chromium's ``<audio>``: of a WebM whose first sample has time 1 s it plays 1 s of
    silence first."""
    path = write_coded(tmp_path / name, codec, (1, tone(0.6)), (2.2, tone(0.5)))
    sound = np.append(np.abs(samples(path)[:, 0]), np.zeros(960))
    loud = sound[: len(sound) // 480 * 480].reshape(-1, 480).max(axis=1) > HEARD
    changes = (np.flatnonzero(np.diff(loud)) + 1) / 100
    assert changes == pytest.approx([1, 1.6, 2.2, 2.7], abs=0.04)


@pytest.mark.parametrize(
    ("name", "codec"), [("take.m4a", "aac"), ("take.webm", "libopus"), ("take.mp3", "mp3")]
)
def test_what_the_encoder_puts_before_the_sound_is_not_heard(
    tmp_path: Path, name: str, codec: str
) -> None:
    click = np.zeros(48_000, np.float32)
    click[24_000:24_010] = 0.9
    found = np.abs(samples(write_coded(tmp_path / name, codec, (0, click)))[:, 0])
    assert np.argmax(found) / 48_000 == pytest.approx(0.5, abs=0.001)


def test_a_time_stamp_far_in_the_future_is_too_long_and_not_decoded(tmp_path: Path) -> None:
    path = write_coded(tmp_path / "take.webm", "libopus", (0, tone(0.5)), (5_000, tone(0.5)))
    with pytest.raises(AssetFailed, match="longer than 15 minutes"):
        probe_seconds(path)
    assert sum(map(len, decode(path))) <= 15 * 60 * 48_000


def test_a_sound_that_needs_too_much_memory_is_the_assets_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError

    path = write_wav(tmp_path / "take.wav")
    monkeypatch.setattr("app.render.sound.demuxing.av.open", exhausted)
    with pytest.raises(AssetFailed, match="'take': it needs more memory"):
        probe_seconds(path, asset_id="take")
