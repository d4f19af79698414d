"""Sounds that the tests of the mix share: like speech, like music, written as real files."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.render.model.storyboard import Narration
from app.render.sound.decoding import probe_seconds


def write_samples(path: Path, sound: NDArray[np.floating], *, rate: int = 48_000) -> Path:
    """Write (n,) or (n, channels) samples as 16-bit WAV."""
    channels = 1 if sound.ndim == 1 else sound.shape[1]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def write_speech(
    path: Path, *, seconds: float, level: float = 0.3, rate: int = 48_000, seed: int = 1
) -> Path:
    """Write noise in syllables, four a second with sharp onsets: peaks well over the mean."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    syllables = (
        np.exp(-3 * ((time * 4) % 1))
        * rng.uniform(0.3, 1, int(seconds * 4) + 2)[(time * 4).astype(int)]
    )
    voiced = np.sign(np.sin(2 * np.pi * 130 * time)) + rng.standard_normal(len(time)) * 0.5
    sound = voiced * syllables
    return write_samples(path, level * sound / np.abs(sound).max(), rate=rate)


def write_music(path: Path, *, seconds: float, level: float = 0.5, rate: int = 44_100) -> Path:
    """Write a stereo chord with beats, steady in its loudness."""
    time = np.arange(round(seconds * rate)) / rate
    left = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220.0, 277.2, 329.6))
    right = sum(np.sin(2 * np.pi * hertz * time + 1) for hertz in (221.0, 276.0, 440.0))
    return write_samples(path, level / 3 * np.stack([left, right], axis=1), rate=rate)


def narration(path: Path, *, offset: float = 0.0, gain: float = 0.0) -> Narration:
    """Return ``path`` as the narration of a step."""
    return Narration(path.stem, path, offset, gain, probe_seconds(path))
