"""The film's sound, decoded as a listener's player does, and measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from app.render.inspect.rules import Check, Rule
from app.render.inspect.video import DEMUXERS
from app.render.model.sound import SAMPLE_RATE
from app.render.sound.loudness import measure

#: Where the manifest names no target of its own.
_TARGET_LUFS, _TARGET_PEAK, _TOLERANCE_LU = -14.0, -1.0, 0.5

#: A film whose loud places allow no more may be softer, with a warning.
LOUDNESS: Final = Rule("Sound", "loudness", "target -14 (or the author's) +-0.5 LUFS")
#: Decoders clip above full scale.
TRUE_PEAK: Final = Rule("Sound", "true-peak", "at most -1 dBTP (or the author's)", hard=True)


def sound_checks(path: Path, manifest: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks of the sound of the film at ``path``.

    Raises:
        av.FFmpegError: It cannot be decoded.
    """
    wished = manifest.get("sound") or {}
    target = float(wished.get("targetLufs", _TARGET_LUFS))
    ceiling = float(wished.get("maxTruePeakDbtp", _TARGET_PEAK))
    reading = measure(decoded(path))
    if reading.silent:
        yield LOUDNESS.not_applicable("silence")
    else:
        told = f"{reading.integrated_lufs:.1f} LUFS, target {target:g}"
        near = abs(reading.integrated_lufs - target) <= _TOLERANCE_LU
        at_peak = reading.true_peak_dbtp > ceiling - 1.0
        yield LOUDNESS.check(told, holds=near, excused=at_peak)
    if math.isinf(reading.true_peak_dbtp):
        yield TRUE_PEAK.not_applicable("silence")
    else:
        told = f"{reading.true_peak_dbtp:.1f} dBTP, at most {ceiling:g}"
        yield TRUE_PEAK.check(told, holds=reading.true_peak_dbtp <= ceiling)


def decoded(path: Path) -> Iterator[NDArray[np.float32]]:
    """Yield the sound of a film as (n, 2) float32 samples at 48 kHz.

    Raises:
        av.FFmpegError: It cannot be decoded.
    """
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=SAMPLE_RATE)
    with av.open(str(path), format=DEMUXERS[path.suffix]) as container:
        for frame in container.decode(container.streams.audio[0]):
            for part in resampler.resample(frame):
                yield part.to_ndarray().astype(np.float32, copy=False).reshape(-1, 2)
    for part in resampler.resample(None):
        yield part.to_ndarray().astype(np.float32, copy=False).reshape(-1, 2)
