"""The film's file: packets of its steps and its sound, written under another name until whole.

MP4 has its index in front (players begin at once), WebM its cues. No clock, no
random number and no version of a library gets into the file.
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
    # The time scale fits every frame rate: no length is rounded to milliseconds.
    "mp4": {"movflags": "+faststart", "movie_timescale": str(SAMPLE_RATE)},
    "webm": {"cues_to_front": "1"},
}
#: How a keyframe of VP9 begins; nothing reads on.
_EMPTY: Final = b"\x82\x49\x83\x42"
#: Nothing beside picture and sound.
NO_TRACKS: Final = Tracks()


class FilmWriter:
    """Context manager that writes one film.

    On a clean exit the file appears at ``path``, whole and flushed to disk; on an
    exception nothing is left.

    Args:
        path: Where the film is to be.
        form: What its pictures have in common.
        sound: The whole film's, as of :func:`app.render.sound.encoding.encoded`.
        tracks: Captions and chapters to go with them.
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
        #: Version of x264 as its first packet declares it, once that is written.
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
        """Append one frame, and the sound that goes with it."""
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
        """Declare the video: as an encoder that never gets a frame, or as a film that has it."""
        if self._form.container == "mp4":
            return _declared(self._container, self._form)
        with av.open(_header(self._form)) as film:
            stream = self._container.add_stream_from_template(film.streams.video[0])
        stream.time_base = self._tick
        return stream

    def _add_audio(self) -> AudioStream:
        """Declare the sound. Here too, its own encoder only writes the headers."""
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
        """Write sound up to a second: the muxer holds little, files stay interleaved."""
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
            pass  # the file goes anyway: what broke it is already on its way up
        finally:
            self._partial.unlink(missing_ok=True)


def _declared(container: OutputContainer, form: Form) -> VideoStream:
    stream = cast("VideoStream", container.add_stream(CODECS[form.container], rate=form.fps))
    configure(stream.codec_context, form)
    stream.time_base = Fraction(1, form.fps)
    return stream


def _header(form: Form) -> io.BytesIO:
    """Return a film of one empty frame; libvpx's encoder, 100 MiB at 1080p, is let go of."""
    film = io.BytesIO()
    with av.open(film, "w", format=form.container) as container:
        packet = Packet(_EMPTY)
        packet.pts = packet.dts = 0
        packet.is_keyframe = True
        packet.stream = _declared(container, form)
        container.mux(packet)
    film.seek(0)
    return film
