"""Loudness and true peak by ITU-R BS.1770-4, and the limiter that keeps the peak.

Both are FFmpeg's own filters (``ebur128``, ``alimiter``), fed block by block: memory
does not grow with the film.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.render.model.sound import SAMPLE_RATE
from app.render.sound.filters import filtered

#: The absolute gate of BS.1770-4 in LUFS: what stays below it is silence.
SILENCE_LUFS: Final = -70.0
#: Interval between readings of momentary loudness, in seconds.
MOMENT_SECONDS: Final = 0.1
#: Lowest ceiling of the limiter in dBFS; FFmpeg's can go no lower than -24.
LOWEST_CEILING_DB: Final = -20.0

#: The filter tells after whole tenths of a second, and its oversampling looks ahead: so much
#: silence after the end brings all of it out. Silence does not pass the gate.
_FLUSH: Final = SAMPLE_RATE // 5
#: The limiter's gain goes down within so many milliseconds before a peak, and comes back.
_ATTACK_MS, _RELEASE_MS = 5, 50


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter read.

    Attributes:
        integrated_lufs: Gated loudness of the whole, ``SILENCE_LUFS`` for silence
            and for what is shorter than the 0.4 s of a block.
        true_peak_dbtp: Highest peak between the samples too (four times
            oversampled), -inf for digital silence or where it was not asked for.
        momentary_lufs: Loudness of the last 0.4 s, every ``MOMENT_SECONDS``.
    """

    integrated_lufs: float
    true_peak_dbtp: float
    momentary_lufs: NDArray[np.float32]

    @property
    def silent(self) -> bool:
        """Whether the sound is silent."""
        return self.integrated_lufs <= SILENCE_LUFS


def measure(blocks: Iterable[NDArray[np.float32]], *, peak: bool = True) -> Reading:
    """Measure (n, 2) samples at 48 kHz.

    Args:
        blocks: The samples.
        peak: Whether to look for the true peak, which takes twice as long as all else.
    """
    mode = "true" if peak else "none"
    integrated, highest = SILENCE_LUFS, 0.0
    moments: list[float] = []
    padded = chain(blocks, [np.zeros((_FLUSH, 2), np.float32)])
    for frame in filtered(padded, ("ebur128", f"metadata=1:peak={mode}")):
        told = frame.metadata  # empty on what is left after the last whole tenth
        if "lavfi.r128.M" in told:
            moments.append(_finite(told["lavfi.r128.M"]))
            integrated = _finite(told["lavfi.r128.I"])
            highest = float(told.get("lavfi.r128.true_peak", 0.0))
    return Reading(
        integrated_lufs=integrated,
        true_peak_dbtp=20 * math.log10(highest) if highest else -math.inf,
        momentary_lufs=np.asarray(moments, np.float32),
    )


def _finite(text: str) -> float:
    value = float(text)
    return max(value, SILENCE_LUFS) if math.isfinite(value) else SILENCE_LUFS


def energy_mean(lufs: NDArray[np.float32]) -> float:
    """Return the mean of loudnesses, weighted as energies; ``SILENCE_LUFS`` for none."""
    if not len(lufs):
        return SILENCE_LUFS
    return float(10 * np.log10(np.mean(10 ** (lufs.astype(np.float64) / 10))))


def limited(
    blocks: Iterable[NDArray[np.float32]], *, gain_db: float, ceiling_db: float
) -> Iterator[NDArray[np.float32]]:
    """Yield the samples louder by ``gain_db``, none above ``ceiling_db``.

    The length stays, and so does the place of every sound: the limiter's delay is taken out.

    Args:
        blocks: (n, 2) samples at 48 kHz.
        gain_db: Decibels.
        ceiling_db: Decibels below full scale, from ``LOWEST_CEILING_DB`` to 0.
    """
    gain = np.float32(10 ** (gain_db / 20))
    ceiling = 10 ** (max(ceiling_db, LOWEST_CEILING_DB) / 20)
    arguments = f"limit={ceiling:.6f}:attack={_ATTACK_MS}:release={_RELEASE_MS}:level=0:latency=1"
    louder = (block * gain for block in blocks)
    limiter = ("alimiter", arguments)
    for frame in filtered(louder, limiter, ("aformat", "sample_fmts=flt")):
        yield frame.to_ndarray().astype(np.float32, copy=False).reshape(-1, 2)
