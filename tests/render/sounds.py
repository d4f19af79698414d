"""Real sound files for tests of the mix: speech-like, music-like and tones."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from app.render.model.storyboard import Narration
from app.render.sound.decoding import probe_seconds


def write_samples(path: Path, sound: NDArray[np.floating], *, rate: int = 48_000) -> Path:
    """Write samples of shape (n,) or (n, channels) as 16-bit WAV."""
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
    """Write bursts of noise, four per second, with sharp onsets and a high crest factor."""
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
    """Write a stereo chord with beats and steady loudness."""
    time = np.arange(round(seconds * rate)) / rate
    left = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220.0, 277.2, 329.6))
    right = sum(np.sin(2 * np.pi * hertz * time + 1) for hertz in (221.0, 276.0, 440.0))
    return write_samples(path, level / 3 * np.stack([left, right], axis=1), rate=rate)


def write_coded(
    path: Path,
    codec: str,
    *parts: tuple[float, NDArray[np.floating]],
    rate: int = 48_000,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Encode parts of shape (n,) or (n, 2) with FFmpeg, each at its time in seconds."""
    head_first = {"movflags": "faststart"} if path.suffix == ".m4a" else {}
    with av.open(str(path), "w", options=head_first) as file:
        file.metadata.update(tags or {})
        stream = file.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        layout = "mono" if parts[0][1].ndim == 1 else "stereo"
        stream.codec_context.layout = layout
        stream.codec_context.time_base = Fraction(1, rate)
        for start, sound in parts:
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(np.atleast_2d(sound.T), np.float32),
                format="fltp",
                layout=layout,
            )
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = round(start * rate)
            resampler = av.AudioResampler(stream.codec_context.format, layout, rate)
            for out in [*resampler.resample(frame), *resampler.resample(None)]:
                file.mux(stream.encode(out))
        file.mux(stream.encode(None))
    return path


def tone(seconds: float, *, rate: int = 48_000, hertz: float = 440.0) -> NDArray[np.float32]:
    """Return a steady tone of amplitude 0.4."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.4 * np.cos(2 * np.pi * hertz * time)).astype(np.float32)


def narration(path: Path, *, offset: float = 0.0, gain: float = 0.0) -> Narration:
    """Return ``path`` as the narration of a step."""
    return Narration(path.stem, path, offset, gain, probe_seconds(path))
