from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import AssetFailed
from app.render.model.sound import Music
from app.render.model.storyboard import Narration, Storyboard
from app.render.sound import stems
from app.render.sound.decoding import Take, decode, probe_seconds, takes
from app.render.sound.stems import BLOCK, music_blocks, voice_blocks
from tests.render.films import make_film, make_step, write_wav


def narration(path: Path, *, offset: float = 0.0, gain: float = 0.0) -> Narration:
    return Narration("take", path, offset, gain, probe_seconds(path))


def voice(film: Storyboard) -> NDArray[np.float32]:
    length = film.frames * 48_000 // film.fps
    return np.concatenate(list(voice_blocks(tuple(takes(film)), length)))


def played(music: Music, seconds: float) -> NDArray[np.float32]:
    return np.concatenate(list(music_blocks(music, round(seconds * 48_000))))


def test_a_film_without_narration_is_silent_and_as_long_as_its_frames() -> None:
    sound = voice(make_film(make_step(frames=45), fps=30))
    assert sound.shape == (72_000, 2)
    assert not sound.any()


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_a_narration_starts_at_its_step_to_the_sample(tmp_path: Path, fps: int) -> None:
    take = narration(write_wav(tmp_path / "take.wav", seconds=0.5), offset=0.25)
    film = make_film(make_step(frames=37), make_step(frames=2 * fps, narration=take), fps=fps)
    sound = voice(film)
    heard = np.flatnonzero(np.abs(sound[:, 0]) > 0.2)
    assert heard[0] == 37 * 48_000 // fps + 12_000
    assert not sound[heard[0] + 24_001 :].any()
    assert len(sound) == film.frames * 48_000 // fps


def test_gain_is_in_decibels(tmp_path: Path) -> None:
    take = narration(write_wav(tmp_path / "take.wav", amplitude=0.5), gain=-6.0)
    sound = voice(make_film(make_step(frames=60, narration=take)))
    assert np.abs(sound).max() == pytest.approx(0.5 * 10 ** (-6 / 20), abs=0.001)


def test_takes_that_meet_are_added(tmp_path: Path) -> None:
    first = narration(write_wav(tmp_path / "a.wav", seconds=1.5, amplitude=0.3))
    second = narration(write_wav(tmp_path / "b.wav", seconds=0.5, amplitude=0.4))
    film = make_film(make_step(frames=30, narration=first), make_step(frames=60, narration=second))
    sound = voice(film)
    assert np.abs(sound[:48_000]).max() == pytest.approx(0.3, abs=0.001)
    assert np.abs(sound[48_000:71_000]).max() == pytest.approx(0.7, abs=0.001)


def test_a_take_that_outlasts_the_film_ends_with_it(tmp_path: Path) -> None:
    take = narration(write_wav(tmp_path / "take.wav", seconds=3))
    assert len(voice(make_film(make_step(frames=30, narration=take)))) == 48_000


def test_a_take_knows_its_length(tmp_path: Path) -> None:
    take = narration(write_wav(tmp_path / "take.wav", seconds=0.5), offset=1.0)
    (found,) = takes(make_film(make_step(frames=90, narration=take)))
    assert found == Take("take", tmp_path / "take.wav", 48_000, 24_000, 1.0)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_looped_music_fills_the_film_without_a_click(tmp_path: Path, rate: int) -> None:
    # 0.7 s of 441 Hz are 308.7 periods: put end to end, they would jump.
    path = write_wav(tmp_path / "m.wav", seconds=0.7, rate=rate, hertz=441, amplitude=0.5)
    sound = played(Music("m", path), 5.3)
    assert len(sound) == round(5.3 * 48_000)
    once = np.concatenate(list(decode(path)))
    steepest = np.abs(np.diff(once[200:-200, 0])).max()
    assert np.abs(np.diff(sound[200:, 0])).max() <= steepest * 1.05
    by_tenths = np.abs(sound[: 52 * 4800]).reshape(52, 4800, 2).max(axis=(1, 2))
    assert by_tenths.min() > 0.4
    assert by_tenths.max() < 0.51


def test_a_second_pass_begins_where_the_first_one_did(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "m.wav", seconds=2.0, hertz=100)
    ramp = np.concatenate(list(decode(path)))
    sound = played(Music("m", path, start_seconds=1.25), 1.5)
    assert np.array_equal(sound[:30_000], ramp[60_000:90_000])
    second = 36_000 - 960  # 0.75 s but for the seam of 20 ms
    assert np.array_equal(sound[second + 960 : second + 30_000], ramp[60_960:90_000])


def test_long_music_is_decoded_anew_for_each_pass_and_sounds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music = Music("m", write_wav(tmp_path / "m.wav", seconds=0.7, hertz=441))
    kept = played(music, 3)
    monkeypatch.setattr(stems, "_KEPT", 0)
    assert np.array_equal(played(music, 3), kept)
    path = music.path.rename(tmp_path / "gone.wav")
    assert path.exists()
    with pytest.raises(AssetFailed):
        played(music, 3)


def test_music_that_is_not_looped_ends_and_is_followed_by_silence(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "m.wav", seconds=1.0)
    sound = played(Music("m", path, loop=False, start_seconds=0.25), 2.0)
    assert np.abs(sound[35_000:36_000]).max() > 0.2
    assert not sound[36_001:].any()


def test_music_is_decoded_only_as_far_as_it_is_read(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "m.wav", seconds=1.0)
    first, second = islice(music_blocks(Music("m", path), 3600 * BLOCK), 2)
    assert first.shape == second.shape == (BLOCK, 2)
