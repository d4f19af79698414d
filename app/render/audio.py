"""Sound: measured, decoded, and mixed over the whole film to the sample.

Decoding streams, so that memory does not grow with a take's length. Only a few
containers are let in, from plain files: a playlist cannot reach other files or
the network.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import av
import numpy as np

from app.errors import AssetFailed
from app.render.encoder import SAMPLE_RATE
from app.render.truncation import is_truncated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.container import InputContainer
    from numpy.typing import NDArray

    from app.render.storyboard import Storyboard

#: Longest take that is decoded.
MAX_SECONDS: Final = 15 * 60
#: FFmpeg's names of the containers that are let in: wav, mp3, ogg and opus, flac, m4a and mp4,
#: webm, and raw AAC.
FORMATS: Final = "wav,mp3,ogg,flac,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac"
#: Containers whose header states the exact length; for others FFmpeg may guess from the bit rate.
_EXACT: Final = ("wav", "flac", "mov", "matroska")
#: A file that lacks more than this of its stated length is truncated; AAC's priming is shorter.
_MISSING_SECONDS: Final = 0.12
#: Highest sample of a mix: 1 dB below full scale, room for the encoder's overshoot.
PEAK: Final = 10 ** (-1 / 20)
#: Samples of a block of the mix: one second.
BLOCK: Final = SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Take:
    """A file's sound in the film.

    Attributes:
        asset_id: Named in errors.
        path: The file.
        start: First sample of the film at which it sounds.
        gain: Factor on its samples.
    """

    asset_id: str
    path: Path
    start: int
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
                resampler = av.AudioResampler(format="flt", layout=layout, rate=SAMPLE_RATE)
            if resampler is None:
                continue
            with _naming(name):
                resampled = resampler.resample(frame)
            for out in resampled:
                samples = out.to_ndarray().astype(np.float32).reshape(-1, out.layout.nb_channels)
                yield np.broadcast_to(samples, (len(samples), 2))[:left]
                left = max(left - len(samples), 0)


class Mix:
    """The film's sound: every narration where the storyboard has it, silence elsewhere.

    Attributes:
        warnings: What a listener may notice; filled by construction.
    """

    def __init__(self, storyboard: Storyboard) -> None:
        self._length = storyboard.frames * SAMPLE_RATE // storyboard.fps
        self._takes = tuple(takes(storyboard))
        self._gain = 1.0
        self.warnings: tuple[str, ...] = ()
        if self._takes:
            self._guard_peak()

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield the film's samples, a second a block, (n, 2) float32 within −1…1."""
        for block in _mixed(self._takes, self._length):
            yield block * np.float32(self._gain)

    def _guard_peak(self) -> None:
        # One more decode instead of holding ten minutes of samples (230 MB).
        peak = max((float(np.abs(b).max()) for b in _mixed(self._takes, self._length)), default=0)
        if peak > PEAK:
            self._gain = PEAK / peak
            self.warnings = (
                f"sound: lowered by {-20 * np.log10(self._gain):.1f} dB, or it would clip",
            )


def takes(storyboard: Storyboard) -> Iterator[Take]:
    """Yield the takes of ``storyboard`` in the order in which they start."""
    for step in storyboard.steps:
        spoken = step.narration
        if spoken is not None:
            start = step.start * SAMPLE_RATE // storyboard.fps
            start += round(spoken.offset_seconds * SAMPLE_RATE)
            yield Take(spoken.asset_id, spoken.path, start, 10 ** (spoken.gain_db / 20))


class _Reader:
    """One take, read as many samples at a time as are wanted."""

    def __init__(self, take: Take) -> None:
        self.start = take.start
        self.done = False
        self._gain = np.float32(take.gain)
        self._blocks = decode(take.path, asset_id=take.asset_id)
        self._rest = np.zeros((0, 2), np.float32)

    def add_to(self, block: NDArray[np.float32], at: int) -> None:
        """Add the samples due in ``block``, which begins at sample ``at`` of the film."""
        reached = max(self.start - at, 0)
        while reached < len(block) and not self.done:
            if not len(self._rest):
                following = next(self._blocks, None)
                self.done = following is None
                self._rest = self._rest if following is None else following
            part, self._rest = np.split(self._rest, [len(block) - reached])
            block[reached : reached + len(part)] += part * self._gain
            reached += len(part)


def _mixed(order: Iterable[Take], length: int) -> Iterator[NDArray[np.float32]]:
    waiting = sorted(order, key=lambda take: take.start, reverse=True)
    playing: list[_Reader] = []
    for at in range(0, length, BLOCK):
        block = np.zeros((min(BLOCK, length - at), 2), np.float32)
        while waiting and waiting[-1].start < at + len(block):
            playing.append(_Reader(waiting.pop()))
        for reader in playing:
            reader.add_to(block, at)
        playing = [reader for reader in playing if not reader.done]
        yield block


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
