from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import AssetFailed
from app.render.sound import decoding
from app.render.sound.decoding import decode, probe_seconds
from tests.render.films import write_wav

#: Container, codec, sample rate of each kind of take; all hold 2 s.
KINDS = [
    ("wav", "pcm_s16le", 44_100),
    ("wav", "pcm_f32le", 96_000),
    ("mp3", "libmp3lame", 44_100),
    ("ogg", "libopus", 48_000),
    ("flac", "flac", 48_000),
    ("mp4", "aac", 44_100),
    ("webm", "libopus", 48_000),
]


def encoded(path: Path, codec: str, rate: int, *, layout: str = "stereo") -> Path:
    """Write 2 s of a tone with FFmpeg's own encoders."""
    container = path.suffix[1:]
    time = np.arange(2 * rate) / rate
    tone = (0.4 * np.cos(2 * np.pi * 440 * time)).astype(np.float32)
    channels = len(av.AudioLayout(layout).channels)
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = layout
        frame = av.AudioFrame.from_ndarray(
            np.tile(tone, (channels, 1)), format="fltp", layout=layout
        )
        frame.sample_rate = rate
        frame.pts = 0
        frame.time_base = Fraction(1, rate)
        resampler = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate)
        for out in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(out))
        file.mux(stream.encode(None))
    return path


def samples(path: Path) -> NDArray[np.float32]:
    return np.concatenate(list(decode(path, asset_id="take")))


@pytest.mark.parametrize(("container", "codec", "rate"), KINDS)
def test_every_kind_of_take_is_measured_and_decoded_to_48_khz_stereo(
    tmp_path: Path, container: str, codec: str, rate: int
) -> None:
    path = encoded(tmp_path / f"take.{container}", codec, rate)
    assert probe_seconds(path) == pytest.approx(2, abs=0.06)
    sound = samples(path)
    assert sound.shape[1] == 2
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(96_000, abs=0.06 * 48_000)
    middle = sound[24_000:72_000, 0]
    assert np.abs(middle).max() == pytest.approx(0.4, abs=0.03)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 440


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000])
def test_any_sample_rate_keeps_its_length_to_the_sample(tmp_path: Path, rate: int) -> None:
    path = write_wav(tmp_path / "take.wav", rate=rate, seconds=1.2)
    assert probe_seconds(path) == pytest.approx(1.2, abs=1e-6)
    assert len(samples(path)) == pytest.approx(57_600, abs=1)


def test_one_channel_becomes_two_without_loss_of_level(tmp_path: Path) -> None:
    sound = samples(write_wav(tmp_path / "take.wav", channels=1, amplitude=0.5))
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.001)
    assert np.array_equal(sound[:, 0], sound[:, 1])


def test_six_channels_become_two(tmp_path: Path) -> None:
    path = encoded(tmp_path / "take.flac", "flac", 48_000, layout="5.1")
    assert samples(path).shape == (96_000, 2)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all" * 100, b"\0" * 5000])
def test_a_file_that_is_no_sound_is_an_asset_failed_that_names_it(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "take.wav"
    path.write_bytes(content)
    with pytest.raises(AssetFailed, match="asset 'voice-7'") as caught:
        probe_seconds(path, asset_id="voice-7")
    assert str(tmp_path) not in caught.value.detail
    with pytest.raises(AssetFailed, match="asset 'voice-7'"):
        list(decode(path, asset_id="voice-7"))


def test_a_take_without_samples_is_an_asset_failed(tmp_path: Path) -> None:
    with pytest.raises(AssetFailed, match="no sound"):
        probe_seconds(write_wav(tmp_path / "take.wav", seconds=0))


def test_a_film_without_sound_is_no_take(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        file.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        file.mux(stream.encode(None))
    with pytest.raises(AssetFailed, match="no sound"):
        probe_seconds(path)


@pytest.mark.parametrize(("container", "codec", "rate"), KINDS)
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_a_truncated_take_is_an_asset_failed(
    tmp_path: Path, container: str, codec: str, rate: int, part: float
) -> None:
    path = encoded(tmp_path / f"take.{container}", codec, rate)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(AssetFailed):
        probe_seconds(path)


def test_an_mp3_with_a_long_tag_before_its_sound_is_measured_after_it(tmp_path: Path) -> None:
    path = encoded(tmp_path / "take.mp3", "libmp3lame", 44_100)
    whole = path.read_bytes()
    # A second ID3v2.4 tag of 20 000 bytes, its size in four times seven bits.
    tag = b"ID3\4\0\0" + bytes([0, 1, 0x1C, 0x20]) + b"\0" * 20_000
    first = 10 + int.from_bytes(whole[6:10], "big")
    path.write_bytes(tag + whole[first:])
    assert probe_seconds(path) == pytest.approx(2, abs=0.06)
    path.write_bytes((tag + whole[first:])[: -len(whole) // 2])
    with pytest.raises(AssetFailed, match="truncated"):
        probe_seconds(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"),
        ("x.ffconcat", "ffconcat version 1.0\nfile {}\n"),
        ("x.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n"),
    ],
)
def test_a_playlist_cannot_reach_another_file(tmp_path: Path, name: str, content: str) -> None:
    secret = write_wav(tmp_path / "secret.wav")
    path = tmp_path / name
    path.write_text(content.format(secret.name))
    with pytest.raises(AssetFailed):
        probe_seconds(path)


def test_a_take_that_is_too_long_is_refused_and_never_decoded_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_SECONDS", 1)
    path = write_wav(tmp_path / "take.wav", seconds=1.5)
    with pytest.raises(AssetFailed, match="longer than"):
        probe_seconds(path)
    assert len(samples(path)) == 48_000


def test_samples_that_are_no_numbers_or_far_too_loud_do_no_harm(tmp_path: Path) -> None:
    path = encoded(tmp_path / "take.wav", "pcm_f32le", 48_000)
    content = bytearray(path.read_bytes())
    data = content.index(b"data") + 8
    bad = np.array([np.nan, np.inf, -np.inf, 1e30], "<f4").tobytes()
    content[data : data + len(bad)] = bad
    path.write_bytes(content)
    assert np.abs(samples(path)).max() <= 32
