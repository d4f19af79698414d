from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.render.model.sound import Ducking, Music
from app.render.sound.ducking import GRID, Spoken, levelled, levels, speech

SECOND = 48_000
#: No fades, so that only dips are seen.
PLAIN = Music("m", Path("m.wav"), fade_in_seconds=0, fade_out_seconds=0)


def decibels_at(found: NDArray[np.float32], *seconds: float) -> list[float]:
    return [20 * float(np.log10(found[round(at * SECOND / GRID)])) for at in seconds]


def ten_seconds(
    *spoken: Spoken, wish: Ducking | None = None, music: Music = PLAIN
) -> NDArray[np.float32]:
    return levels(music, wish or Ducking(), spoken, length=10 * SECOND, ends=10 * SECOND)


def test_music_is_down_when_the_voice_begins_and_until_it_ends() -> None:
    found = ten_seconds(Spoken(3 * SECOND, 5 * SECOND, -12))
    assert decibels_at(found, 0, 2.84, 2.925, 3, 4, 5, 5.175, 5.36, 9) == pytest.approx(
        [0, 0, -6, -12, -12, -12, -6, 0, 0], abs=0.01
    )


def test_attack_and_release_are_as_wished() -> None:
    wish = Ducking(attack_seconds=0.005, release_seconds=4)
    found = ten_seconds(Spoken(3 * SECOND, 5 * SECOND, -12), wish=wish)
    assert decibels_at(found, 2.99, 3, 5, 7, 9) == pytest.approx([0, -12, -12, -6, 0], abs=0.05)


def test_music_stays_down_in_a_short_pause_and_comes_back_in_a_long_one() -> None:
    spans = [Spoken(1 * SECOND, 2 * SECOND, -12), Spoken(round(2.9 * SECOND), 4 * SECOND, -9)]
    found = ten_seconds(*spans, Spoken(6 * SECOND, 7 * SECOND, -12))
    assert decibels_at(found, 1.5, 2.45, 3.5, 5, 6.5) == pytest.approx(
        [-12, -9, -9, 0, -12], abs=0.01
    )


def test_a_voice_at_the_very_start_and_end_finds_the_music_down() -> None:
    found = ten_seconds(Spoken(0, 10 * SECOND, -12))
    assert decibels_at(found, 0, 5, 10) == pytest.approx([-12, -12, -12], abs=0.01)


def test_music_fades_in_and_out() -> None:
    music = Music("m", Path("m.wav"), fade_in_seconds=2, fade_out_seconds=1)
    found = levels(music, Ducking(), (), length=10 * SECOND, ends=8 * SECOND)
    at = [found[round(second * SECOND / GRID)] for second in (0, 1, 2, 7, 7.5, 8, 9)]
    assert at == pytest.approx([0, 0.5, 1, 1, 0.5, 0, 0], abs=0.01)


def test_factors_are_interpolated_across_blocks() -> None:
    factors = np.linspace(0, 1, 101, dtype=np.float32)  # half a second
    blocks = [np.ones((size, 2), np.float32) for size in (7_001, 9_999, 7_000)]
    out = np.concatenate(list(levelled(blocks, factors)))
    assert np.allclose(out[:, 0], np.arange(24_000) / 24_000, atol=1e-5)
    assert np.array_equal(out[:, 0], out[:, 1])


def test_speech_is_found_in_the_voice_and_words_are_not_pauses() -> None:
    rng = np.random.default_rng(3)
    voice = np.zeros((10 * SECOND, 2), np.float32)
    for start, end in [(1.0, 2.0), (2.2, 3.0), (5.0, 6.0)]:
        part = slice(round(start * SECOND), round(end * SECOND))
        voice[part] = rng.uniform(-0.3, 0.3, voice[part].shape)
    blocks = np.array_split(voice, 7)
    found = [(span.start / SECOND, span.end / SECOND) for span in speech(blocks, lufs=-15)]
    assert len(found) == 2
    assert np.allclose(found, [(1.0, 3.0), (5.0, 6.0)], atol=0.011)


def test_silence_holds_no_speech() -> None:
    assert list(speech([np.zeros((SECOND, 2), np.float32)], lufs=-20)) == []
