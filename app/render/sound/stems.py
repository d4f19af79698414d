"""The stems of the film's sound: the voice, and the music that goes on under it.

A stem yields blocks of a second, (n, 2) float32 at 48 kHz, as long as the film. It can
be gone through again and again; each time the files are decoded anew, so that ten
minutes of samples (230 MB) are never held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.render.model.sound import SAMPLE_RATE, Music
from app.render.sound.decoding import Take, decode

#: Samples of a block: one second.
BLOCK: Final = SAMPLE_RATE
#: Where music begins again, its end and its beginning overlap so long (20 ms): no click, and
#: too short for the rhythm to suffer.
SEAM: Final = SAMPLE_RATE // 50
#: Looped music up to this length is decoded once: 30 s, 12 MB.
_KEPT: Final = 30 * SAMPLE_RATE
#: Shortest music that is played, in seconds.
MIN_MUSIC_SECONDS: Final = 0.5


def voice_blocks(takes: Sequence[Take], length: int) -> Iterator[NDArray[np.float32]]:
    """Yield the narrations where they belong, ``length`` samples in all."""
    waiting = sorted(takes, key=lambda take: take.start, reverse=True)
    playing: list[tuple[int, _Stream, np.float32]] = []
    for at in range(0, length, BLOCK):
        block = np.zeros((min(BLOCK, length - at), 2), np.float32)
        while waiting and waiting[-1].start < at + len(block):
            take = waiting.pop()
            stream = _Stream(decode(take.path, asset_id=take.asset_id))
            playing.append((take.start, stream, np.float32(take.gain)))
        for start, stream, gain in playing:
            stream.add_to(block[max(start - at, 0) :], gain=gain)
        playing = [entry for entry in playing if not entry[1].done]
        yield block


def music_blocks(music: Music, length: int) -> Iterator[NDArray[np.float32]]:
    """Yield ``length`` samples of the music, looped if the job asks for it."""
    stream = _Stream(_looped(music) if music.loop else _recording(music))
    for at in range(0, length, BLOCK):
        block = np.zeros((min(BLOCK, length - at), 2), np.float32)
        stream.add_to(block, gain=np.float32(1))
        yield block


def _recording(music: Music) -> Iterator[NDArray[np.float32]]:
    skip = round(music.start_seconds * SAMPLE_RATE)
    for block in decode(music.path, asset_id=music.asset_id):
        if len(block) > skip:
            yield block[skip:]
        skip = max(skip - len(block), 0)


def _looped(music: Music) -> Iterator[NDArray[np.float32]]:
    """Yield the recording for ever; the end of each pass is faded into the next one's start."""
    rise = (0.5 - 0.5 * np.cos(np.pi * np.arange(SEAM) / SEAM)).astype(np.float32)[:, None]
    ending = np.zeros((0, 2), np.float32)
    again = _Kept(music)
    while True:
        held = np.zeros((0, 2), np.float32)
        for block in again.blocks():
            held = np.concatenate([held, block])
            if len(held) <= 2 * SEAM:
                continue
            ready, held = held[:-SEAM], held[-SEAM:]
            if len(ending):
                ready[:SEAM] = ready[:SEAM] * rise + ending
                ending = ending[:0]
            yield ready
        yield held[:-SEAM]
        ending = held[-SEAM:] * (1 - rise)


class _Kept:
    """A recording that is wanted again: a short one stays decoded, a long one does not."""

    def __init__(self, music: Music) -> None:
        self._music = music
        self._whole: NDArray[np.float32] | None = None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        if self._whole is not None:
            yield self._whole
            return
        kept: list[NDArray[np.float32]] = []
        length = 0
        for block in _recording(self._music):
            length += len(block)
            if length <= _KEPT:
                kept.append(block)
            yield block
        if length <= _KEPT:
            self._whole = np.concatenate(kept)


class _Stream:
    """Blocks as they are decoded, read as many samples at a time as are wanted."""

    def __init__(self, blocks: Iterator[NDArray[np.float32]]) -> None:
        self.done = False
        self._blocks = blocks
        self._rest = np.zeros((0, 2), np.float32)

    def add_to(self, block: NDArray[np.float32], *, gain: np.float32) -> None:
        """Add the next samples to ``block``, as many as there is room for."""
        reached = 0
        while reached < len(block) and not self.done:
            if not len(self._rest):
                following = next(self._blocks, None)
                self.done = following is None
                self._rest = self._rest if following is None else following
            part, self._rest = np.split(self._rest, [len(block) - reached])
            block[reached : reached + len(part)] += part * gain
            reached += len(part)
