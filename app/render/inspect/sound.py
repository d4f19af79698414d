"""Measures loudness and true peak of the film's decoded sound."""

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

#: Used if the manifest states no target: LUFS, dBTP, and tolerance in LU.
_TARGET_LUFS, _TARGET_PEAK, _TOLERANCE_LU = -14.0, -1.0, 0.5

#: High peaks may leave no room for more gain. Too soft is then only a warning.
LOUDNESS: Final = Rule(
    "Sound",
    "loudness",
    f"within {_TOLERANCE_LU:g} LU of the target ({_TARGET_LUFS:g} LUFS by default)",
)
#: Hard, because decoders clip above full scale.
TRUE_PEAK: Final = Rule(
    "Sound", "true-peak", f"at most the limit ({_TARGET_PEAK:g} dBTP by default)", hard=True
)


def sound_checks(path: Path, manifest: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks of the sound of the film at ``path``.

    Args:
        path: The film.
        manifest: States the target loudness and the limit of the true peak.

    Raises:
        av.FFmpegError: The sound cannot be decoded.
    """
    stated = manifest.get("sound") or {}
    target = float(stated.get("targetLufs", _TARGET_LUFS))
    ceiling = float(stated.get("maxTruePeakDbtp", _TARGET_PEAK))
    reading = measure(decoded(path))
    if reading.silent:
        yield LOUDNESS.not_applicable("silence")
    else:
        measured = f"{reading.integrated_lufs:.1f} LUFS; target {target:g} LUFS"
        near = abs(reading.integrated_lufs - target) <= _TOLERANCE_LU
        at_peak = reading.true_peak_dbtp > ceiling - 1.0
        yield LOUDNESS.check(measured, holds=near, excused=at_peak)
    if math.isinf(reading.true_peak_dbtp):
        yield TRUE_PEAK.not_applicable("silence")
    else:
        measured = f"{reading.true_peak_dbtp:.1f} dBTP; limit {ceiling:g} dBTP"
        yield TRUE_PEAK.check(measured, holds=reading.true_peak_dbtp <= ceiling)


def decoded(path: Path) -> Iterator[NDArray[np.float32]]:
    """Yield the sound of a film as blocks of shape (n, 2): float32 at 48 kHz.

    Raises:
        av.FFmpegError: The sound cannot be decoded.
    """
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=SAMPLE_RATE)
    with av.open(str(path), format=DEMUXERS[path.suffix]) as container:
        for frame in container.decode(container.streams.audio[0]):
            for part in resampler.resample(frame):
                yield part.to_ndarray().astype(np.float32, copy=False).reshape(-1, 2)
    for part in resampler.resample(None):
        yield part.to_ndarray().astype(np.float32, copy=False).reshape(-1, 2)
