from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from app.render.sound.loudness import SILENCE_LUFS, energy_mean, limited, measure


def sine(*, hertz: float, decibels: float, seconds: float, phase: float = 0) -> NDArray[np.float32]:
    time = np.arange(round(seconds * 48_000)) / 48_000
    tone = 10 ** (decibels / 20) * np.sin(2 * np.pi * hertz * time + phase)
    return np.repeat(tone[:, None], 2, axis=1).astype(np.float32)


def in_blocks(sound: NDArray[np.float32], size: int = 4801) -> Iterator[NDArray[np.float32]]:
    cuts = [*range(0, len(sound), size), len(sound)]
    return (sound[start:end] for start, end in pairwise(cuts))


# EBU Tech 3341, tests 1, 2 and 3: a stereo sine of 1 kHz at -23 dBFS is -23 LUFS;
# what is 13 LU softer passes the relative gate no more.
@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
    ],
)
def test_the_meter_agrees_with_the_signals_of_ebu_tech_3341(
    parts: list[tuple[float, float]], lufs: float
) -> None:
    tones = [sine(hertz=1000, decibels=level, seconds=length) for level, length in parts]
    found = measure(in_blocks(np.concatenate(tones)), peak=False)
    assert found.integrated_lufs == pytest.approx(lufs, abs=0.1)
    assert found.true_peak_dbtp == -math.inf


# EBU Tech 3341, tests 15 and 16: a quarter of the sample rate, read between its crests.
@pytest.mark.parametrize(("phase", "decibels"), [(0.0, -6.0), (math.pi / 4, -6.0)])
def test_the_peak_between_samples_is_found(phase: float, decibels: float) -> None:
    tone = sine(hertz=12_000, decibels=decibels, seconds=1, phase=phase)
    ramp = np.minimum(np.linspace(0, 20, len(tone)), 1)[:, None].astype(np.float32)
    found = measure(in_blocks(tone * ramp * ramp[::-1]))
    assert -0.4 <= found.true_peak_dbtp - decibels <= 0.2


def test_the_last_samples_are_measured_too() -> None:
    sound = np.zeros((48_123, 2), np.float32)
    sound[-40:] = 0.5
    assert measure([sound]).true_peak_dbtp > -6.5


def test_momentary_loudness_is_told_every_tenth_of_a_second() -> None:
    sound = np.concatenate(
        [np.zeros((48_000, 2), np.float32), sine(hertz=1000, decibels=-20, seconds=1)]
    )
    found = measure([sound], peak=False).momentary_lufs
    assert len(found) == 22
    assert (found[:10] == SILENCE_LUFS).all()
    assert found[13:20] == pytest.approx(-20, abs=0.1)


def test_silence_and_nothing_are_silent() -> None:
    for blocks in ([], [np.zeros((0, 2), np.float32)], [np.zeros((96_000, 2), np.float32)]):
        found = measure(blocks)
        assert found.silent
        assert found.true_peak_dbtp == -math.inf


def test_energies_are_averaged_not_decibels() -> None:
    assert energy_mean(np.array([-20, -20], np.float32)) == pytest.approx(-20)
    assert energy_mean(np.array([-20, -60], np.float32)) == pytest.approx(-23, abs=0.02)
    assert energy_mean(np.array([], np.float32)) == SILENCE_LUFS


def test_what_is_below_the_ceiling_only_gets_its_gain_and_keeps_its_place() -> None:
    rng = np.random.default_rng(5)
    sound = rng.uniform(-0.2, 0.2, (100_001, 2)).astype(np.float32)
    out = np.concatenate(list(limited(in_blocks(sound), gain_db=6, ceiling_db=-3)))
    assert out.shape == sound.shape
    assert np.allclose(out, sound * 10 ** (6 / 20), atol=1e-6)


def test_nothing_passes_the_ceiling_and_what_is_far_from_a_peak_stays() -> None:
    sound = sine(hertz=440, decibels=-12, seconds=3)
    sound[72_000:72_100] *= 6
    out = np.concatenate(list(limited(in_blocks(sound), gain_db=0, ceiling_db=-6)))
    assert 20 * np.log10(np.abs(out).max()) <= -5.99
    assert np.allclose(out[:70_000], sound[:70_000], atol=1e-6)
    assert np.allclose(out[120_000:], sound[120_000:], atol=1e-3)


def test_a_ceiling_that_is_too_low_for_the_limiter_is_as_low_as_can_be() -> None:
    out = np.concatenate(
        list(limited([sine(hertz=440, decibels=0, seconds=0.5)], gain_db=0, ceiling_db=-90))
    )
    assert 20 * np.log10(np.abs(out[24:]).max()) == pytest.approx(-20, abs=0.5)
