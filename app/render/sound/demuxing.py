"""From a sound file to decoded frames, each at its time.

Only a few containers are let in, from plain files: a playlist cannot reach other files or the
network.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer

from app.errors import AssetFailed
from app.render.model.sound import SAMPLE_RATE
from app.render.sound.ogg import CAPTURE, OggFile, read_ogg
from app.render.sound.truncation import is_truncated

#: FFmpeg's names of the containers that are let in: wav, mp3, ogg and opus, flac, m4a and mp4,
#: webm, and raw AAC.
FORMATS: Final = "wav,mp3,ogg,flac,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac"
_OPTIONS: Final = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
#: Sample rates in Hz that real recordings have. Others are mistakes or attacks.
RATES: Final = range(1_000, 768_001)
#: Most channels of a recording (7.1). FFmpeg knows no places for some greater numbers.
CHANNELS: Final = 8
#: Samples of a block: half a second. Handling costs by the block, a codec's own have 20 ms.
BLOCK: Final = SAMPLE_RATE // 2
#: A chained Ogg file has at most so many links: a day of a radio station.
LINKS: Final = 1_000
#: Containers whose time stamps say when a sound begins and where it pauses. Those of the others
#: are counted from the samples.
_TIMED: Final = ("matroska", "mov")
#: A shorter gap between two time stamps is rounding (FFmpeg's ``aresample`` has the same figure,
#: ``min_hard_comp``).
_GAP_SECONDS: Final = 0.1
#: Containers whose header states the exact length; for others FFmpeg may guess from the bit rate.
_EXACT: Final = ("flac", "mov", "matroska")
#: A file that lacks more than this of its stated length is truncated; AAC's priming is shorter.
_MISSING_SECONDS: Final = 0.12


def read_frames(path: Path, name: str) -> Iterator[tuple[float, AudioFrame]]:
    """Yield each frame of a sound file with the seconds of silence before it.

    A packet that cannot be decoded is passed over: joined files, tags and padding leave some in
    files that every player plays.

    Args:
        path: The file.
        name: The asset, named in errors.

    Raises:
        AssetFailed: It is not one of ``FORMATS``, holds no sound, is truncated, or most of it
            cannot be decoded.
    """
    seconds, cut = 0.0, False
    with _naming(name):
        opened = path.open("rb")
    with opened as file:
        is_ogg = file.read(len(CAPTURE)) == CAPTURE
        ogg = read_ogg(path) if is_ogg else None
        for container in _containers(path, file, name, ogg):
            with closing(container):
                for gap, frame in _timed(container, name):
                    yield gap, frame
                    seconds += gap + frame.samples / frame.sample_rate
                missing = _stated_end(container) - seconds
                cut = missing > _MISSING_SECONDS or is_truncated(file, container.format.name)
    if not seconds:
        raise AssetFailed(f"asset {name!r}: it holds no sound")
    if cut or (ogg and ogg.cut):
        raise AssetFailed(
            f"asset {name!r}: truncated: only {seconds:.2f} s of it are there; upload it again"
        )


def _containers(
    path: Path, file: io.BufferedReader, name: str, ogg: OggFile | None
) -> Iterator[InputContainer]:
    """Yield the file, opened; an Ogg file link by link.

    FFmpeg does not decode a link whose rate or channels differ from those of the first, and does
    not open a file that ends in many bytes that belong to no page.
    """
    if ogg is None:
        with _naming(name):
            whole = av.open(f"file:{path}", options=_OPTIONS)
        yield whole
        return
    if len(ogg.links) > LINKS:
        raise AssetFailed(f"asset {name!r}: it is a chain of more than {LINKS} Ogg files")
    for start, length in ogg.links:
        with _naming(name):
            part = av.open(_Part(file, start, length), "r", options=_OPTIONS)
        yield part


def _timed(container: InputContainer, name: str) -> Iterator[tuple[float, AudioFrame]]:
    timed = container.format.name.startswith(_TIMED)
    end = 0.0
    kind: tuple[int, str] | None = None
    for frame in _decoded(container, name):
        if kind != kind_of(frame):
            _check(frame, name)
            kind = kind_of(frame)
        gap = frame.time - end if timed and frame.time is not None else 0.0
        gap = gap if gap > _GAP_SECONDS else 0.0
        yield gap, frame
        end += gap + frame.samples / frame.sample_rate


def kind_of(frame: AudioFrame) -> tuple[int, str]:
    """Return sample rate and channels of ``frame``."""
    return frame.sample_rate, frame.layout.name


def resampler(frame: AudioFrame) -> av.AudioResampler:
    """Return what brings frames of this kind to 48 kHz; mono stays so, all others become stereo."""
    # FFmpeg's mono to stereo would lower the voice by 3 dB.
    layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
    return av.AudioResampler(format="flt", layout=layout, rate=SAMPLE_RATE, frame_size=BLOCK)


def _check(frame: AudioFrame, name: str) -> None:
    channels, rate = frame.layout.nb_channels, frame.sample_rate
    if channels > CHANNELS or rate not in RATES:
        raise AssetFailed(
            f"asset {name!r}: {channels} channels at {rate} Hz; at most {CHANNELS} channels at"
            f" {RATES[0]} to {RATES[-1]} Hz can be played"
        )
    with _naming(name):  # a layout that cannot be mixed shows here, before anything is planned
        resampler(frame).resample(frame)


def _decoded(container: InputContainer, name: str) -> Iterator[AudioFrame]:
    if not container.streams.audio:
        raise AssetFailed(f"asset {name!r}: it holds no sound")
    packets = container.demux(container.streams.audio[0])
    good = bad = 0
    reason: AssetFailed | None = None
    while True:
        with _naming(name):
            packet = next(packets, None)
        if packet is None:
            break
        try:
            with _naming(name):
                frames = packet.decode()
        except AssetFailed as error:
            bad, reason = bad + 1, error
            continue
        good += 1
        yield from (frame for frame in frames if frame.samples)
    if reason and bad >= good:  # the packet that ends it all is among the good ones
        raise reason


def _stated_end(container: InputContainer) -> float:
    """Return when the sound ends by the header, 0.0 where the header does not state it."""
    stream = container.streams.audio[0]
    if not container.format.name.startswith(_EXACT):
        return 0.0
    if stream.duration and stream.time_base:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    alone = len(container.streams) == 1  # else it may be the length of a picture
    return (container.duration or 0) / av.time_base if alone else 0.0


class _Part(io.RawIOBase):
    """A part of an open file, read like a file."""

    def __init__(self, file: io.BufferedReader, start: int, length: int) -> None:
        self._file, self._start, self._length = file, start, length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(self._length - self._at, 0)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Turn FFmpeg's errors into one that names the asset."""
    try:
        yield
    except MemoryError as error:  # a header may state any size
        raise AssetFailed(
            f"asset {name!r}: it needs more memory than a render may use; convert it anew"
        ) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AssetFailed(
            f"asset {name!r}: it cannot be read as sound: use a whole WAV, MP3, OGG, FLAC, M4A or"
            " WebM file"
        ) from error
