"""Writes the file of a film, under a temporary name until it is complete.

The index (MP4) or the cues (WebM) come first, so that players start at once. No clock, random
number or version of a library gets into the file, so equal input gives equal bytes.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from app.render.model.sound import SAMPLE_RATE
from app.render.model.storyboard import Container
from app.render.sound import encoding
from app.render.sound.codec import CODECS as CODECS_OF_SOUND
from app.render.video.encoder import CODECS, Form, configure, x264_version
from app.render.video.segments import Coded
from app.render.video.tracks import CaptionTracks, Tracks

_OPTIONS: Final[dict[Container, dict[str, str]]] = {
    # With this time scale, durations at every frame rate are exact.
    "mp4": {"movflags": "+faststart", "movie_timescale": str(SAMPLE_RATE)},
    "webm": {"cues_to_front": "1"},
}
#: First bytes of a VP9 keyframe. The demuxer reads no more.
_EMPTY: Final = b"\x82\x49\x83\x42"
#: No captions and no chapters.
NO_TRACKS: Final = Tracks()


class FilmWriter:
    """Context manager that writes one film.

    On a clean exit, the complete file appears at ``path``, flushed to disk. On an exception,
    nothing is left.

    Args:
        path: Path of the film.
        form: Format of the pictures.
        sound: Packets of the film's sound, in order; see :func:`app.render.sound.encoding.encoded`.
        tracks: Captions and chapters of the film.
    """

    def __init__(
        self,
        path: Path,
        form: Form,
        *,
        sound: Iterator[Packet[Any]],
        tracks: Tracks = NO_TRACKS,
    ) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._form = form
        self._tick = Fraction(1, form.fps)
        self._sound = sound
        self._tracks = tracks
        #: Frames written so far.
        self.frames = 0
        #: Version of x264, from the first packet. "" before that, and in WebM.
        self.x264_version = ""

    def __enter__(self) -> Self:
        form = self._form
        self._container: OutputContainer = av.open(
            str(self._partial),
            "w",
            format=form.container,
            options={"fflags": "+bitexact", **_OPTIONS[form.container]},
        )
        try:
            self._video = self._add_video()
            self._audio = self._add_audio()
            self._captions = CaptionTracks(self._container, form.container, self._tracks)
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._discard()
            return
        try:
            self._finish()
        except BaseException:
            self._discard()
            raise

    def write(self, coded: Coded) -> None:
        """Append one frame, with the sound and captions up to it."""
        if not self.frames:
            self.x264_version = x264_version(coded.data)
        self._captions.write_until(self.frames / self._form.fps)
        packet = Packet(coded.data)
        packet.pts = packet.dts = self.frames
        packet.duration = 1
        packet.time_base = self._tick
        packet.is_keyframe = coded.keyframe
        packet.stream = self._video
        self._container.mux(packet)
        self.frames += 1
        if self.frames % self._form.fps == 0:
            self._write_sound(until=self.frames / self._form.fps)

    def _add_video(self) -> VideoStream:
        """Add the video stream. MP4 takes headers from an unused encoder, WebM from a template."""
        if self._form.container == "mp4":
            return _declared(self._container, self._form)
        with av.open(_header(self._form)) as film:
            stream = self._container.add_stream_from_template(film.streams.video[0])
        stream.time_base = self._tick
        return stream

    def _add_audio(self) -> AudioStream:
        """Add the audio stream. Its encoder writes only the headers."""
        codec = CODECS_OF_SOUND[self._form.container]
        stream = cast(
            "AudioStream",
            self._container.add_stream(
                codec.encoder, rate=SAMPLE_RATE, options=dict(codec.options)
            ),
        )
        encoding.configure(stream.codec_context, codec)
        return stream

    def _write_sound(self, *, until: float) -> None:
        """Write sound up to a time in seconds, so that the file is interleaved."""
        for packet in self._sound:
            start = (packet.pts or 0) / SAMPLE_RATE
            packet.stream = self._audio
            self._container.mux(packet)
            if start >= until:
                return

    def _finish(self) -> None:
        self._write_sound(until=math.inf)
        self._container.close()
        with self._partial.open("rb+") as file:
            os.fsync(file.fileno())
        self._partial.replace(self._path)

    def _discard(self) -> None:
        try:
            self._container.close()
        except (av.FFmpegError, OSError, ValueError):
            pass  # the exception that caused this is already being raised
        finally:
            self._partial.unlink(missing_ok=True)


def _declared(container: OutputContainer, form: Form) -> VideoStream:
    stream = cast("VideoStream", container.add_stream(CODECS[form.container], rate=form.fps))
    configure(stream.codec_context, form)
    stream.time_base = Fraction(1, form.fps)
    return stream


def _header(form: Form) -> io.BytesIO:
    """Return a film of one empty frame. This frees the encoder of libvpx: 100 MiB at 1080p."""
    film = io.BytesIO()
    with av.open(film, "w", format=form.container) as container:
        packet = Packet(_EMPTY)
        packet.pts = packet.dts = 0
        packet.is_keyframe = True
        packet.stream = _declared(container, form)
        container.mux(packet)
    film.seek(0)
    return film
