"""When a sound begins: loudness over time, in a recording and in the film that it went into.

Loudness is the mean square of each millisecond. The *shape* of a recording is its first sounding
second and a half, in steps of 10 ms: enough to find it again in a film to a millisecond, whatever
gain, limiter and codec lie between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.render.model.sound import SAMPLE_RATE
from app.render.sound.decoding import decode

#: Samples of a millisecond.
_BLOCK: Final = SAMPLE_RATE // 1000
#: Milliseconds of a step of a shape, and steps of it: before the sound, and in all.
_STEP, _BEFORE, _STEPS = 10, 5, 150
#: Fewer steps are no shape: the limiter changes so short a sound until it fits elsewhere better.
_LEAST_STEPS: Final = 20
#: So much of a recording is looked at, in seconds: who is silent for longer has no shape.
_LOOKED_AT: Final = 10
#: A recording sounds from this share of its greatest loudness on (amplitudes).
_SOUNDING: Final = 0.1
#: Amplitude below which sound is inaudible (-60 dBFS).
_SILENT: Final = 1e-3
#: Levels of a shape, the loudest last.
_LEVELS: Final = "0123456789abcdefghijklmnopqrstuv"
#: A shape is looked for so many milliseconds around its place.
_REACH: Final = 120
#: What agrees less (correlation) is another sound.
_ALIKE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Shape:
    """How loud a recording is from ``start_seconds`` of it on; ``levels`` is one of ``_LEVELS``."""

    start_seconds: float
    levels: str

    @classmethod
    def of_file(cls, path: Path, *, asset_id: str) -> Shape | None:
        """Return the shape of a recording, None for one that begins silent or is very short.

        Raises:
            AssetFailed: It cannot be read.
        """
        blocks = _first(decode(path, asset_id=asset_id), _LOOKED_AT * SAMPLE_RATE)
        loud = _stepped(loudness(blocks), 0)
        peak = loud.max(initial=0.0)
        if peak < _SILENT:
            return None
        first = int(np.flatnonzero(loud >= _SOUNDING * peak)[0]) - _BEFORE
        shape = np.concatenate([np.zeros(max(-first, 0)), loud[max(first, 0) :]])[:_STEPS]
        if len(shape) < _LEAST_STEPS:
            return None
        scaled = np.round(shape / shape.max() * (len(_LEVELS) - 1)).astype(int)
        return cls(round(first * _STEP / 1000, 3), "".join(_LEVELS[level] for level in scaled))

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Shape:
        """Return what :meth:`to_json` gave.

        Raises:
            ValueError: It is not a shape. KeyError and TypeError mean the same.
        """
        levels = str(document["shape"])
        if not 0 < len(levels) <= _STEPS or not set(levels) <= set(_LEVELS):
            raise ValueError("no shape of a sound")
        return cls(float(document["shapeStartSec"]), levels)

    def to_json(self) -> dict[str, Any]:
        """Return it for the manifest."""
        return {"shapeStartSec": self.start_seconds, "shape": self.levels}

    def late_by(self, film: NDArray[np.float64], begins: float) -> float | None:
        """Return by how many seconds its sound is late in ``film``; None if it is not there.

        Args:
            film: Loudness of the whole film, from :func:`loudness`.
            begins: Where the recording should begin, in seconds of the film.
        """
        own = np.array([_LEVELS.index(level) for level in self.levels], np.float64)
        own -= own.mean()
        at = round((begins + self.start_seconds) * 1000)
        alike = {way: _correlation(own, film, at + way) for way in range(-_REACH, _REACH + 1)}
        best = max(alike, key=lambda way: (round(alike[way], 4), -abs(way)))
        return best / 1000 if alike[best] >= _ALIKE else None


def loudness(blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return the mean square of each millisecond of (n, 2) samples at 48 kHz."""
    powers: list[NDArray[np.float64]] = []
    rest = np.zeros((0, 2), np.float32)
    for block in chain(blocks, [np.zeros((_BLOCK - 1, 2), np.float32)]):
        rest = np.concatenate([rest, block])
        whole = len(rest) // _BLOCK * _BLOCK
        square = np.square(rest[:whole], dtype=np.float64).mean(axis=1)
        powers.append(square.reshape(-1, _BLOCK).mean(axis=1))
        rest = rest[whole:]
    return np.concatenate(powers)


def _first(blocks: Iterator[NDArray[np.float32]], samples: int) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        yield block
        samples -= len(block)
        if samples <= 0:
            return


def _stepped(powers: NDArray[np.float64], at: int) -> NDArray[np.float64]:
    """Return the amplitude of each step of ``powers`` from millisecond ``at`` on."""
    part = powers[max(at, 0) :]
    part = np.concatenate([np.zeros(max(-at, 0)), part])
    whole = len(part) // _STEP * _STEP
    amplitudes: NDArray[np.float64] = np.sqrt(part[:whole].reshape(-1, _STEP).mean(axis=1))
    return amplitudes


def _correlation(own: NDArray[np.float64], film: NDArray[np.float64], at: int) -> float:
    if not -len(own) * _STEP < at < len(film):
        return 0.0
    heard = _stepped(film[: max(at, 0) + len(own) * _STEP], at)[: len(own)]
    heard = np.concatenate([heard, np.zeros(len(own) - len(heard))])
    heard = heard - heard.mean()
    size = float(np.linalg.norm(own) * np.linalg.norm(heard))
    return float(own @ heard) / size if size else 0.0
