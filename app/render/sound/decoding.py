"""Sound files: measured and decoded; and where in the film each narration goes.

Decoding streams, so that memory does not grow with a take's length. Only a few
containers are let in, from plain files: a playlist cannot reach other files or
the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from numpy.typing import NDArray

from app.errors import AssetFailed
from app.render.model.storyboard import Storyboard
from app.render.sound.truncation import is_truncated
from app.render.video.encoder import SAMPLE_RATE

#: Longest take that is decoded.
MAX_SECONDS: Final = 15 * 60
#: FFmpeg's names of the containers that are let in: wav, mp3, ogg and opus, flac, m4a and mp4,
#: webm, and raw AAC.
FORMATS: Final = "wav,mp3,ogg,flac,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac"
#: Containers whose header states the exact length; for others FFmpeg may guess from the bit rate.
_EXACT: Final = ("wav", "flac", "mov", "matroska")
#: A file that lacks more than this of its stated length is truncated; AAC's priming is shorter.
_MISSING_SECONDS: Final = 0.12
#: Samples of a block: half a second. Handling costs by the block, a codec's own have 20 ms.
_BLOCK: Final = SAMPLE_RATE // 2
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
    with _opened(path, name) as container:
        for frame in _frames(container, name):
            seconds += frame.samples / frame.sample_rate
            if seconds > MAX_SECONDS:
                raise AssetFailed(f"asset {name!r}: longer than {MAX_SECONDS // 60} minutes")
        stated = _stated_seconds(container)
    if not seconds:
        raise AssetFailed(f"asset {name!r}: it holds no sound")
    if stated - seconds > _MISSING_SECONDS or is_truncated(path):
        raise AssetFailed(
            f"asset {name!r}: truncated: only {seconds:.2f} s of it are there; upload it again"
        )
    return seconds


def decode(path: Path, *, asset_id: str = "") -> Iterator[NDArray[np.float32]]:
    """Yield a file's sound as blocks of (n, 2) samples at 48 kHz.

    Raises:
        AssetFailed: As :func:`probe_seconds`.
    """
    name = asset_id or path.name
    resampler: av.AudioResampler | None = None
    left = MAX_SECONDS * SAMPLE_RATE
    with _opened(path, name) as container:
        for frame in _with_flush(_frames(container, name)):
            if resampler is None and frame is not None:
                # FFmpeg's mono to stereo would lower the voice by 3 dB.
                layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
                resampler = av.AudioResampler(
                    format="flt", layout=layout, rate=SAMPLE_RATE, frame_size=_BLOCK
                )
            if resampler is None:
                continue
            with _naming(name):
                resampled = resampler.resample(frame)
            for out in resampled:
                samples = _harmless(out.to_ndarray()).reshape(-1, out.layout.nb_channels)
                yield np.broadcast_to(samples, (len(samples), 2))[:left]
                left = max(left - len(samples), 0)


def _harmless(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Return ``samples`` without what is no number and what is far too loud."""
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


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Turn FFmpeg's errors into one that names the asset."""
    try:
        yield
    except MemoryError:  # FFmpeg's own is both: it is no fault of the asset
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AssetFailed(
            f"asset {name!r}: it cannot be read as sound: use a whole WAV, MP3, OGG, FLAC, M4A or"
            " WebM file"
        ) from error


def _opened(path: Path, name: str) -> InputContainer:
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    with _naming(name):
        return av.open(f"file:{path}", options=options)


def _frames(container: InputContainer, name: str) -> Iterator[AudioFrame]:
    if not container.streams.audio:
        raise AssetFailed(f"asset {name!r}: it holds no sound")
    frames = container.decode(audio=0)
    while True:
        with _naming(name):
            frame = next(frames, None)
        if frame is None:
            return
        if frame.samples and frame.sample_rate:
            yield frame


def _with_flush(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame | None]:
    yield from frames
    yield None


def _stated_seconds(container: InputContainer) -> float:
    """Length by the header, 0 where the header does not state it."""
    stream = container.streams.audio[0]
    if not container.format.name.startswith(_EXACT):
        return 0.0
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1  # else it may be the length of a picture
    return (container.duration or 0) / av.time_base if alone else 0.0
