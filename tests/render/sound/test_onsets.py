from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.render.model.sound import LoudnessTarget
from app.render.sound.codec import AAC
from app.render.sound.decoding import decode
from app.render.sound.encoding import decoded
from app.render.sound.mastering import mastered
from app.render.sound.onsets import Shape, loudness
from tests.render.films import write_wav
from tests.render.sounds import write_music, write_samples, write_speech


def late_by(tmp_path: Path, shape: Shape, *, way: float, music: float = 0.0) -> float | None:
    """Put the recording ``way`` seconds after 2 s of a film, over music of so much amplitude."""
    write_music(tmp_path / "music.wav", seconds=7)
    film = np.concatenate(list(decode(tmp_path / "music.wav")))[: 6 * 48_000]
    film *= np.float32(music)
    voice = np.concatenate(list(decode(tmp_path / "voice.wav")))
    at = round((2 + way) * 48_000)
    film[at : at + len(voice)] += np.tanh(3 * voice[: len(film) - at])  # as a hard limiter does
    return shape.late_by(loudness([film]), 2.0)


def shape_of(path: Path) -> Shape:
    shape = Shape.of_file(path, asset_id="voice")
    assert shape is not None
    return Shape.of_json(shape.to_json())


@pytest.mark.parametrize("way", [0.0, 0.013, -0.04])
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_how_late_a_voice_is_is_told_to_2_ms_under_music_and_a_limiter(
    tmp_path: Path, way: float, rate: int
) -> None:
    path = write_speech(tmp_path / "voice.wav", seconds=3, rate=rate)
    found = late_by(tmp_path, shape_of(path), way=way, music=0.05)
    assert found == pytest.approx(way, abs=0.002)


def test_an_even_tone_is_known_by_its_beginning(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "voice.wav", seconds=1.2)
    assert late_by(tmp_path, shape_of(path), way=0.02) == pytest.approx(0.02, abs=0.002)


def test_silence_before_a_voice_belongs_to_its_place(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(np.arange(48_000) / 20)
    path = write_samples(tmp_path / "voice.wav", np.concatenate([np.zeros(4 * 4800), tone]))
    shape = shape_of(path)
    assert shape.start_seconds == pytest.approx(0.35, abs=0.011)
    assert late_by(tmp_path, shape, way=0.03) == pytest.approx(0.03, abs=0.002)


def test_what_is_not_in_the_film_is_not_found(tmp_path: Path) -> None:
    shape = shape_of(write_speech(tmp_path / "voice.wav", seconds=3))
    assert shape.late_by(loudness([np.zeros((6 * 48_000, 2), np.float32)]), 2.0) is None
    assert late_by(tmp_path, shape, way=0.5) is None
    for begins in (-1e12, 1e12):
        assert shape.late_by(np.zeros(6000), begins) is None


def test_what_is_silent_has_no_shape(tmp_path: Path) -> None:
    assert Shape.of_file(write_wav(tmp_path / "zero.wav", amplitude=0), asset_id="zero") is None


def test_what_is_too_short_to_be_found_again_has_no_shape(tmp_path: Path) -> None:
    for milliseconds, found in ((50, False), (140, False), (160, True), (400, True)):
        path = write_wav(tmp_path / "short.wav", seconds=milliseconds / 1000)
        assert (Shape.of_file(path, asset_id="short") is not None) is found


@pytest.mark.parametrize("number", range(12))
def test_a_short_sound_is_found_where_it_is_though_the_limiter_changed_it(
    tmp_path: Path, number: int
) -> None:
    rng = np.random.default_rng(number)
    length = int(rng.integers(160, 400)) * 48
    swell = np.interp(np.arange(length), np.linspace(0, length, 6), rng.uniform(0, 1, 6) ** 2)
    sound = 0.9 * swell * np.sin(2 * np.pi * rng.uniform(100, 2_000) * np.arange(length) / 48_000)
    path = write_samples(tmp_path / "short.wav", sound)
    shape = Shape.of_file(path, asset_id="short")
    assert shape is not None
    film = np.zeros((96_000, 2), np.float32)
    film[48_000 : 48_000 + length] = sound[:, None]
    master = mastered(lambda: iter([film]), target=LoudnessTarget(), codec=AAC)
    late = shape.late_by(loudness(decoded(master.packets, codec=AAC)), 1.0)
    assert late == pytest.approx(0, abs=0.005)


@pytest.mark.parametrize("levels", ["", "0z", "é", "0v" * 76])
def test_what_is_no_shape_is_refused(levels: str) -> None:
    with pytest.raises(ValueError, match="shape"):
        Shape.of_json({"shape": levels, "shapeStartSec": 0})
