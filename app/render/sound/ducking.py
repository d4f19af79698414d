"""How loud the music is at each moment: faded at its ends, lowered under the voice.

Levels stand on a grid of 5 ms (120,000 of them for ten minutes) and are interpolated
between. A dip is linear in decibels and is down when the voice begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.render.model.sound import SAMPLE_RATE, Ducking, Music

#: Samples between two levels: 5 ms, the shortest attack that may be asked for.
GRID: Final = SAMPLE_RATE // 200
#: In shorter pauses between two narrations the music stays down: it would only pump.
HOLD_SECONDS: Final = 1.0
#: Sidechain: somebody speaks while the voice is at most so far below its loudness.
_SPEECH_DB: Final = 25.0
#: Sidechain: shorter gaps are between words, not pauses.
_WORD_GAP_SECONDS: Final = 0.4


@dataclass(frozen=True, slots=True)
class Spoken:
    """Samples ``start`` to ``end`` in which somebody speaks, and the dip in dB under them."""

    start: int
    end: int
    dip_db: float = 0.0


def levels(
    music: Music, ducking: Ducking, spoken: Sequence[Spoken], *, length: int, ends: int
) -> NDArray[np.float32]:
    """Return factors of the music on the grid.

    Args:
        music: Its fades.
        ducking: Its attack and release.
        spoken: Where to dip, in order of their starts.
        length: Samples of the film.
        ends: Sample at which the music ends, by itself or with the film.
    """
    seconds = np.arange(length // GRID + 2) * (GRID / SAMPLE_RATE)
    dips = np.zeros(len(seconds), np.float32)
    for span in _bridged(spoken):
        start, end = span.start / SAMPLE_RATE, span.end / SAMPLE_RATE
        reach = slice(
            max(int((start - ducking.attack_seconds) * SAMPLE_RATE / GRID), 0),
            int((end + ducking.release_seconds) * SAMPLE_RATE / GRID) + 2,
        )
        corners = (start - ducking.attack_seconds, start, end, end + ducking.release_seconds)
        shape = np.interp(seconds[reach], corners, (0.0, span.dip_db, span.dip_db, 0.0))
        np.minimum(dips[reach], shape, out=dips[reach])
    fades = _rise(seconds, music.fade_in_seconds)
    fades *= _rise(ends / SAMPLE_RATE - seconds, music.fade_out_seconds)
    return np.asarray(10 ** (dips / 20) * fades, np.float32)


def _rise(since: NDArray[np.floating], seconds: float) -> NDArray[np.float64]:
    """Rise from 0 to 1 in ``seconds``, or at once."""
    risen = np.clip(since / seconds, 0, 1) if seconds else since >= 0
    return risen.astype(np.float64)


def _bridged(spoken: Sequence[Spoken]) -> Iterator[Spoken]:
    """Yield the spans, and the short pauses between them with the gentler dip of both."""
    before: Spoken | None = None
    for span in spoken:
        if before and 0 < span.start - before.end < HOLD_SECONDS * SAMPLE_RATE:
            yield Spoken(before.end, span.start, max(before.dip_db, span.dip_db))
        yield span
        before = span


def levelled(
    blocks: Iterable[NDArray[np.float32]], factors: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Yield ``blocks`` times the factors of the grid, interpolated from sample to sample."""
    grid = np.arange(len(factors)) * GRID
    at = 0
    for block in blocks:
        first = at // GRID
        near = slice(first, (at + len(block)) // GRID + 2)
        part = factors[near]
        if part.min() == part.max():
            yield block * part[0]
        else:
            gains = np.interp(np.arange(at, at + len(block)), grid[near], part)
            yield block * gains.astype(np.float32)[:, None]
        at += len(block)


def speech(blocks: Iterable[NDArray[np.float32]], *, lufs: float) -> Iterator[Spoken]:
    """Yield where somebody speaks, found in the voice itself.

    Args:
        blocks: The voice.
        lufs: Its integrated loudness.
    """
    threshold = 10 ** ((lufs - _SPEECH_DB) / 10)
    gap = round(_WORD_GAP_SECONDS * SAMPLE_RATE)
    start = end = None
    at = 0
    for block in blocks:
        whole = np.zeros((-(-len(block) // GRID) * GRID, 2), np.float32)
        whole[: len(block)] = block
        power = np.square(whole).sum(axis=1).reshape(-1, GRID).mean(axis=1)
        for index in np.flatnonzero(power > threshold):
            begins = at + int(index) * GRID
            if start is not None and end is not None and begins - end > gap:
                yield Spoken(start, end)
                start = None
            start = begins if start is None else start
            end = begins + GRID
        at += len(block)
    if start is not None and end is not None:
        yield Spoken(start, end)
