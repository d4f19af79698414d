"""The film's loudness: set by a gain and a limiter, proven on what a listener will hear.

Rounds: limit, encode, decode, measure, correct. The packets of the best round are the film's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from app.render.model.sound import LoudnessTarget
from app.render.sound.codec import AudioCodec
from app.render.sound.encoding import decoded, encoded
from app.render.sound.loudness import Reading, limited, measure

Samples = Callable[[], Iterator[NDArray[np.float32]]]

#: How far from the target a film may be, in LU.
TOLERANCE_LU: Final = 0.5
#: Rounds that encode, at most.
ROUNDS: Final = 4

#: A round that comes so near is the last.
_CLOSE_LU: Final = 0.3
#: The limiter's ceiling lies so far below the peak that is allowed: peaks between the samples,
#: and the encoder's own.
_MARGIN_DB: Final = 0.8
#: A peak that is too high is lowered by its excess and so much more.
_STEP_DB: Final = 0.1
#: The gain is raised at most so far in dB for what the limiter takes: single clicks cannot be
#: made as loud as speech.
_MOST_PUSH_DB: Final = 18.0
#: Search for the gain: from so near in LU one step is sure to hit.
_NEAR_LU: Final = 0.7
#: What a dB of gain gives in LU under the limiter: usually with speech, and at the least.
_USUAL_SLOPE, _LEAST_SLOPE = 0.8, 0.25


@dataclass(frozen=True, slots=True)
class Master:
    """How the film's samples are made, and what became of them.

    Attributes:
        gain_db: Of the whole, before the limiter.
        ceiling_db: Of the limiter.
        reading: Measured on the samples, decoded again.
        packets: The samples, encoded: 1.4 MB a minute.
        limited_db: By how much the limiter lowers the highest peak.
    """

    gain_db: float
    ceiling_db: float
    reading: Reading
    packets: Sequence[Packet[Any]] = ()
    limited_db: float = 0.0

    def blocks(self, samples: Samples) -> Iterator[NDArray[np.float32]]:
        """Yield ``samples`` as the film is to have them."""
        return limited(samples(), gain_db=self.gain_db, ceiling_db=self.ceiling_db)


def mastered(samples: Samples, *, target: LoudnessTarget, codec: AudioCodec) -> Master:
    """Find the gain and the ceiling with which the film has ``target``.

    Silence is left alone. Where not both can be had, the peak is kept.

    Args:
        samples: Gives the film's (n, 2) samples at 48 kHz, the same at every call.
        target: What is wished.
        codec: How the film will be encoded.
    """
    peak = _Peak()
    before = measure(peak.watched(samples()), peak=False)
    ceiling = target.peak_dbtp - _MARGIN_DB
    if before.silent:
        return _heard(samples, Master(0.0, ceiling, before), codec)
    wanted = target.lufs - before.integrated_lufs
    draft = Master(wanted, ceiling, before)
    if peak.decibels + wanted > ceiling:  # the limiter takes some: see how much, unencoded
        draft = _approached(samples, draft, target.lufs)
    best: Master | None = None
    for _ in range(ROUNDS):
        tried = _heard(samples, draft, codec)
        best = min(best or tried, tried, key=lambda master: _faults(master, target))
        off = target.lufs - tried.reading.integrated_lufs
        over = tried.reading.true_peak_dbtp - target.peak_dbtp
        spent = draft.gain_db >= wanted + _MOST_PUSH_DB
        if over <= 0 and (abs(off) <= _CLOSE_LU or spent):
            break
        draft = Master(
            gain_db=min(draft.gain_db + off, wanted + _MOST_PUSH_DB),
            ceiling_db=draft.ceiling_db - (over + _STEP_DB if over > 0 else 0.0),
            reading=before,
        )
    final = best or draft
    pressed = peak.decibels + final.gain_db - final.ceiling_db
    return replace(final, limited_db=max(pressed, 0.0))


def _approached(samples: Samples, draft: Master, lufs: float) -> Master:
    """Return ``draft`` with the gain that has about ``lufs`` after the limiter (secant method).

    The round that encodes comes after it and measures: the last step is not measured here.
    """
    most = draft.gain_db + _MOST_PUSH_DB
    slope, before = _USUAL_SLOPE, draft.gain_db
    reached: float | None = None
    for _ in range(ROUNDS):
        found = measure(draft.blocks(samples), peak=False).integrated_lufs
        if reached is not None:
            slope = min(max((found - reached) / (draft.gain_db - before), _LEAST_SLOPE), 1.0)
        before, reached = draft.gain_db, found
        draft = replace(draft, gain_db=min(draft.gain_db + (lufs - found) / slope, most))
        if abs(lufs - found) <= _NEAR_LU or draft.gain_db >= most:
            break
    return draft


def _heard(samples: Samples, draft: Master, codec: AudioCodec) -> Master:
    packets: list[Packet[Any]] = []
    heard = decoded(_kept(encoded(draft.blocks(samples), codec=codec), packets), codec=codec)
    return replace(draft, reading=measure(heard), packets=packets)


def _kept(packets: Iterator[Packet[Any]], into: list[Packet[Any]]) -> Iterator[Packet[Any]]:
    for packet in packets:
        into.append(packet)
        yield packet


def _faults(master: Master, target: LoudnessTarget) -> tuple[float, float]:
    reading = master.reading
    return (
        max(reading.true_peak_dbtp - target.peak_dbtp, 0.0),
        abs(reading.integrated_lufs - target.lufs),
    )


class _Peak:
    """Remembers the highest sample that went by."""

    def __init__(self) -> None:
        self._highest = 1e-10

    def watched(self, blocks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        for block in blocks:
            self._highest = max(self._highest, float(np.abs(block).max(initial=0.0)))
            yield block

    @property
    def decibels(self) -> float:
        return float(20 * np.log10(self._highest))
