from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.render.model.sound import Ducking, LoudnessTarget, Music, SoundOptions
from app.render.model.storyboard import Storyboard
from app.render.sound.bed import make_bed
from app.render.sound.codec import AAC, OPUS, AudioCodec
from app.render.sound.decoding import takes
from app.render.sound.encoding import decoded
from app.render.sound.loudness import measure
from app.render.sound.soundtrack import Soundtrack
from app.render.sound.stems import voice_blocks
from tests.render.films import make_film, make_step, write_wav
from tests.render.sounds import narration, write_music, write_samples, write_speech


def spoken_film(path: Path, *, frames: int = 180, **options: Any) -> Storyboard:
    return make_film(make_step(frames=frames, narration=narration(path, **options)))


def heard(sound: Soundtrack, codec: AudioCodec = AAC) -> tuple[float, float]:
    found = measure(decoded(sound.packets(), codec=codec))
    return found.integrated_lufs, found.true_peak_dbtp


def samples(sound: Soundtrack) -> NDArray[np.float32]:
    return np.concatenate(list(decoded(sound.packets(), codec=AAC)))


@pytest.mark.parametrize("codec", [AAC, OPUS], ids=lambda codec: codec.encoder)
@pytest.mark.parametrize("level", [0.01, 0.2, 0.99])
def test_a_voice_has_the_loudness_and_peak_after_decoding_whatever_it_was(
    tmp_path: Path, level: float, codec: AudioCodec
) -> None:
    path = write_speech(tmp_path / "voice.wav", seconds=3, level=level)
    sound = Soundtrack(spoken_film(path, frames=99), SoundOptions(), codec=codec)
    lufs, peak = heard(sound, codec)
    assert lufs == pytest.approx(-14, abs=0.5)
    assert peak <= -1
    assert sound.report.integrated_lufs == pytest.approx(lufs, abs=0.01)
    assert sound.report.true_peak_dbtp == pytest.approx(peak, abs=0.01)
    assert sound.report.faults == ()


@pytest.mark.parametrize(("lufs", "peak"), [(-24, -1), (-12, -6), (-16, -2)])
def test_another_target_is_met_too(tmp_path: Path, lufs: float, peak: float) -> None:
    path = write_music(tmp_path / "voice.wav", seconds=4)
    wishes = SoundOptions(target=LoudnessTarget(lufs, peak))
    sound = Soundtrack(spoken_film(path, frames=120), wishes, codec=AAC)
    found, highest = heard(sound)
    assert found == pytest.approx(lufs, abs=0.5)
    assert highest <= peak


def test_peaks_between_the_samples_are_held_down(tmp_path: Path) -> None:
    # A quarter of the rate read beside its crests, in bursts: 3 dB more than any sample shows.
    time = np.arange(3 * 48_000)
    bursts = np.sin(np.pi / 2 * time + np.pi / 4) * (time % 12_000 < 3_000)
    path = write_samples(tmp_path / "voice.wav", 0.99 * bursts)
    sound = Soundtrack(spoken_film(path, frames=90), SoundOptions(), codec=AAC)
    lufs, peak = heard(sound)
    assert lufs == pytest.approx(-14, abs=0.5)
    assert peak <= -1


def test_silence_is_left_alone(tmp_path: Path) -> None:
    soft = 20 / 32767 * np.sin(np.arange(4 * 48_000) / 30)
    soft *= 1e-1
    for path in (
        write_wav(tmp_path / "zero.wav", seconds=4, amplitude=0),
        write_samples(tmp_path / "soft.wav", soft),
    ):
        sound = Soundtrack(spoken_film(path), SoundOptions(), codec=AAC)
        assert sound.report.integrated_lufs is None
        assert sound.report.gain_db == 0
        assert np.abs(samples(sound)).max() <= 3 / 32767
        assert sound.warnings == ("sound: nothing in it can be heard",)
        assert sound.report.faults == ()


def test_a_film_without_sound_is_digital_silence_of_its_length() -> None:
    sound = Soundtrack(make_film(make_step(frames=45)), SoundOptions(), codec=AAC)
    out = samples(sound)
    assert 72_000 <= len(out) < 73_024
    assert not out.any()
    assert sound.warnings == ()
    assert sound.report.to_json() == {
        "targetLufs": -14.0,
        "maxTruePeakDbtp": -1.0,
        "integratedLufs": None,
        "truePeakDbtp": None,
        "gainDb": 0.0,
        "limitedDb": 0.0,
        "voiceOverMusicLu": None,
    }


def test_single_clicks_keep_the_peak_and_are_told_to_be_too_soft(tmp_path: Path) -> None:
    clicks = np.zeros(6 * 48_000)
    clicks[:: 48_000 * 2] = 0.9
    sound = Soundtrack(
        spoken_film(write_samples(tmp_path / "v.wav", clicks)), SoundOptions(), codec=AAC
    )
    assert sound.report.true_peak_dbtp is not None
    assert sound.report.true_peak_dbtp <= -1
    assert sound.report.faults == ("loudness",)
    assert any("leave no room" in warning for warning in sound.warnings)


def test_a_very_soft_recording_is_raised_and_told(tmp_path: Path) -> None:
    path = write_speech(tmp_path / "voice.wav", seconds=5, level=0.01)
    sound = Soundtrack(spoken_film(path), SoundOptions(), codec=AAC)
    assert sound.report.gain_db > 20
    assert any("noise" in warning for warning in sound.warnings)


def test_a_narration_begins_with_its_step_in_what_is_decoded(tmp_path: Path) -> None:
    take = narration(write_wav(tmp_path / "v.wav", seconds=2))
    film = make_film(make_step(frames=37), make_step(frames=75, narration=take))
    out = samples(Soundtrack(film, SoundOptions(), codec=AAC))
    first = np.flatnonzero(np.abs(out[:, 0]) > 0.05)[0]
    assert abs(first - 37 * 1600) <= 240  # 5 ms


def film_with_music(tmp_path: Path, **wish: Any) -> tuple[Storyboard, Music]:
    """Ten seconds: speech from 2 to 5 s, and softer speech from 7 to 9 s."""
    loud = narration(write_speech(tmp_path / "loud.wav", seconds=3, level=0.5), offset=2)
    soft = narration(write_speech(tmp_path / "soft.wav", seconds=2, level=0.2, seed=2), offset=1)
    film = make_film(make_step(frames=180, narration=loud), make_step(frames=120, narration=soft))
    return film, Music("m", write_music(tmp_path / "music.wav", seconds=1.7), **wish)


def parted(
    film: Storyboard, music: Music, wish: Ducking
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return voice and music as they go into the film."""
    length = film.frames * 1600
    spoken = tuple(takes(film))
    bed = make_bed(music, wish, spoken, length=length, music_seconds=1.7)
    voice = np.concatenate(list(voice_blocks(spoken, length)))
    return voice, np.concatenate(list(bed.blocks(length)))


@pytest.mark.parametrize("mode", ["none", "envelope", "sidechain"])
@pytest.mark.parametrize("relative", [-24.0, -12.0, 0.0])
def test_music_is_18_lu_under_each_voice_while_it_speaks(
    tmp_path: Path, mode: Any, relative: float
) -> None:
    film, music = film_with_music(tmp_path, relative_db=relative)
    voice, bed = parted(film, music, Ducking(mode=mode))
    for start, end in [(2, 5), (7, 9)]:
        part = slice(start * 48_000, end * 48_000)
        apart = measure([voice[part]]).integrated_lufs - measure([bed[part]]).integrated_lufs
        assert apart >= 18
    pause = measure([bed[round(5.6 * 48_000) : round(6.6 * 48_000)]]).integrated_lufs
    spoken = measure([bed[2 * 48_000 : 5 * 48_000]]).integrated_lufs
    if mode == "none":
        assert pause == pytest.approx(spoken, abs=0.5)
    else:
        assert pause - spoken >= 9.5
        whole = measure([voice]).integrated_lufs
        assert pause - whole == pytest.approx(relative, abs=1)


def test_a_finished_film_with_music_is_measured_and_told(tmp_path: Path) -> None:
    film, music = film_with_music(tmp_path, relative_db=-3.0)
    sound = Soundtrack(film, SoundOptions(music), codec=AAC, music_seconds=1.7)
    lufs, peak = heard(sound)
    assert lufs == pytest.approx(-14, abs=0.5)
    assert peak <= -1
    assert sound.report.voice_over_music_lu is not None
    assert sound.report.voice_over_music_lu >= 18
    assert sound.report.faults == ()
    assert any("lowered by up to" in warning for warning in sound.warnings)


def test_a_short_voice_in_much_soft_music_is_told_to_be_limited_hard(tmp_path: Path) -> None:
    word = narration(write_speech(tmp_path / "word.wav", seconds=0.6, level=0.5))
    film = make_film(make_step(frames=30, narration=word), make_step(frames=210))
    music = Music("m", write_music(tmp_path / "music.wav", seconds=1.7), relative_db=-20)
    sound = Soundtrack(film, SoundOptions(music), codec=OPUS, music_seconds=1.7)
    assert sound.report.limited_db > 12
    assert any("raise music.relativeDb" in warning for warning in sound.warnings)


def test_music_alone_has_the_loudness_of_the_film_and_fades(tmp_path: Path) -> None:
    music = Music("m", write_music(tmp_path / "music.wav", seconds=1.7))
    sound = Soundtrack(
        make_film(make_step(frames=180)), SoundOptions(music), codec=AAC, music_seconds=1.7
    )
    assert heard(sound)[0] == pytest.approx(-14, abs=0.5)
    assert sound.report.voice_over_music_lu is None
    out = np.abs(samples(sound))
    assert out[:480].max() < 0.02
    assert out[6 * 48_000 - 480 : 6 * 48_000].max() < 0.02
    assert out[140_000:141_000].max() > 0.1


def test_music_that_is_not_looped_fades_at_its_own_end(tmp_path: Path) -> None:
    path = write_music(tmp_path / "music.wav", seconds=3)
    wishes = SoundOptions(Music("m", path, loop=False))
    sound = Soundtrack(make_film(make_step(frames=180)), wishes, codec=AAC, music_seconds=3)
    out = np.abs(samples(sound))
    assert out[3 * 48_000 - 480 : 3 * 48_000].max() < 0.03
    assert out[3 * 48_000 + 1024 :].max() < 1e-3


def test_the_same_sound_comes_out_each_time(tmp_path: Path) -> None:
    voice = narration(write_speech(tmp_path / "voice.wav", seconds=2, level=0.2), offset=1)
    film = make_film(make_step(frames=120, narration=voice))
    music = Music("m", write_music(tmp_path / "music.wav", seconds=1.7))
    first = Soundtrack(film, SoundOptions(music), codec=OPUS, music_seconds=1.7)
    second = Soundtrack(film, SoundOptions(music), codec=OPUS, music_seconds=1.7)
    packets = [bytes(packet) for packet in first.packets()]
    assert len(packets) > 190
    assert packets == [bytes(packet) for packet in second.packets()]
    assert first.report == second.report
