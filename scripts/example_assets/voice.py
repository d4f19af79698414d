"""Makes the narration with espeak-ng and encodes it with PyAV.

The recordings are in the repository, so only a changed text needs espeak-ng (Debian:
``apt install espeak-ng``).
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

#: Voice, words per minute, pitch, and pause between words in units of 10 ms.
ESPEAK: Final = ("espeak-ng", "-v", "en-gb+f3", "-s", "152", "-p", "46", "-g", "1")
#: Sample rate in Hz. Opus supports few others.
RATE: Final = 48_000
#: Bits per second, enough for one voice.
BIT_RATE: Final = 32_000
#: Peak of a recording in dBFS.
PEAK_DB: Final = -3.0
#: Level of silence in decibels relative to the loudest sample.
_SILENCE_DB: Final = -48.0
#: Faded margin before the first and after the last sound, in seconds.
_MARGIN_SECONDS: Final = 0.006
_FRAME: Final = 960

Samples = NDArray[np.float32]


def speak(text: str) -> Samples:
    """Return speech of shape (n,): float32 at ``RATE``, trimmed, with a peak of ``PEAK_DB``.

    Raises:
        FileNotFoundError: espeak-ng is not installed.
        subprocess.CalledProcessError: espeak-ng failed.
    """
    wave = subprocess.run(
        [*ESPEAK, "--stdout"], input=text.encode(), capture_output=True, check=True
    ).stdout
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(io.BytesIO(wave), "r") as container:
        frames = [
            out.to_ndarray()[0]
            for frame in (*container.decode(audio=0), None)
            for out in resampler.resample(frame)
        ]
    return _trimmed(np.concatenate(frames))


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() * 10 ** (_SILENCE_DB / 20))
    margin = round(_MARGIN_SECONDS * RATE)
    kept = samples[max(loud[0] - margin, 0) : loud[-1] + margin].copy()
    slope = np.linspace(0, 1, margin, dtype=np.float32)
    kept[:margin] *= slope
    kept[-margin:] *= slope[::-1]
    gain: np.float32 = 10 ** (PEAK_DB / 20) / np.abs(kept).max()
    return kept * gain


def write_opus(samples: Samples, path: Path) -> None:
    """Write samples as Ogg Opus. The same samples give the same bytes."""
    options = {"fflags": "+bitexact", "serial_offset": "1"}
    with av.open(str(path), "w", format="ogg", options=options) as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        for start in range(0, len(samples), _FRAME):
            block = np.ascontiguousarray(samples[start : start + _FRAME]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
            frame.sample_rate = RATE
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
