"""Sound files: measured and decoded; and where in the film each narration goes.

Decoding streams, so that memory does not grow with a take's length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from app.errors import AssetFailed
from app.render.model.sound import SAMPLE_RATE
from app.render.model.storyboard import Storyboard
from app.render.sound.demuxing import BLOCK, kind_of, read_frames, resampler

#: Longest take that is decoded.
MAX_SECONDS: Final = 15 * 60
#: Files of floats may hold anything. So far above full scale (30 dB) samples are kept.
_LOUDEST: Final = 32.0


@dataclass(frozen=True, slots=True)
class Take:
    """A file's sound in the film.

    Attributes:
        asset_id: Named in errors.
        path: The file.
        start: First sample of the film at which it sounds.
        length: Samples, as measured.
        gain: Factor on its samples.
    """

    asset_id: str
    path: Path
    start: int
    length: int
    gain: float


def probe_seconds(path: Path, *, asset_id: str = "") -> float:
    """Return the length of a file's sound, by decoding it: headers lie.

    Raises:
        AssetFailed: No sound, an unknown container, truncated, or too long.
    """
    name = asset_id or path.name
    seconds = 0.0
    for gap, frame in read_frames(path, name):
        seconds += gap + frame.samples / frame.sample_rate
        if seconds > MAX_SECONDS:
            raise AssetFailed(f"asset {name!r}: longer than {MAX_SECONDS // 60} minutes")
    return seconds


def decode(path: Path, *, asset_id: str = "") -> Iterator[NDArray[np.float32]]:
    """Yield a file's sound as blocks of (n, 2) samples at 48 kHz.

    Where its time stamps leave a gap there is silence. A part of another rate or other channels
    has its own speed.

    Raises:
        AssetFailed: As :func:`probe_seconds`.
    """
    left = MAX_SECONDS * SAMPLE_RATE
    for block in _blocks(path, asset_id or path.name):
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


def _blocks(path: Path, name: str) -> Iterator[NDArray[np.float32]]:
    current: av.AudioResampler | None = None
    kind: tuple[int, str] | None = None
    for gap, frame in read_frames(path, name):
        if current is None or gap or kind != kind_of(frame):
            yield from _resampled(current, None)
            yield from _silence(gap)
            current, kind = resampler(frame), kind_of(frame)
        yield from _resampled(current, frame)
    yield from _resampled(current, None)


def _resampled(
    current: av.AudioResampler | None, frame: AudioFrame | None
) -> Iterator[NDArray[np.float32]]:
    """Yield what a resampler gives for ``frame``, or all that it still holds for None."""
    for out in current.resample(frame) if current else ():
        samples = _harmless(out.to_ndarray()).reshape(-1, out.layout.nb_channels)
        yield np.broadcast_to(samples, (len(samples), 2))


def _silence(seconds: float) -> Iterator[NDArray[np.float32]]:
    left = min(round(seconds * SAMPLE_RATE), MAX_SECONDS * SAMPLE_RATE)
    while left > 0:
        yield np.zeros((min(left, BLOCK), 2), np.float32)
        left -= BLOCK


def _harmless(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Return ``samples`` with NaN, infinity and absurdly loud values removed."""
    numbers: NDArray[np.float32] = samples.astype(np.float32, copy=False)
    if np.abs(numbers).max(initial=0.0) <= _LOUDEST:  # false where there is a NaN
        return numbers
    return np.clip(np.nan_to_num(numbers), -_LOUDEST, _LOUDEST).astype(np.float32, copy=False)


def takes(storyboard: Storyboard) -> Iterator[Take]:
    """Yield the takes of ``storyboard`` in the order in which they start."""
    for step in storyboard.steps:
        spoken = step.narration
        if spoken is not None:
            start = step.start * SAMPLE_RATE // storyboard.fps
            start += round(spoken.offset_seconds * SAMPLE_RATE)
            length = round(spoken.seconds * SAMPLE_RATE)
            gain = 10 ** (spoken.gain_db / 20)
            yield Take(spoken.asset_id, spoken.path, start, length, gain)
