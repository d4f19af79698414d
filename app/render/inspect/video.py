"""The film's container and streams, held against the rules without decoding a frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

import av
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext

from app.render.inspect.rules import Check, Expected, Rule

#: Demuxer of each kind of film; no other one is tried.
DEMUXERS: Final = {".mp4": "mp4", ".webm": "matroska"}
#: Samples of one AAC frame at 48 kHz; Opus packets are shorter.
_AUDIO_FRAME: Final = Fraction(1024, 48_000)
#: AVCOL_*: bt709 for matrix, primaries and transfer; MPEG (tv) for the range.
_BT709, _TV_RANGE = 1, 1
#: Smaller packets are silence: they cost next to nothing.
_SILENT_PACKET: Final = 64
_LEAST_BIT_RATE: Final = 128_000

#: All must hold for a film to be one: players, editors and players of the steps rely on them.
CONTAINER: Final = Rule("Picture", "container", "MP4, moov before mdat; or WebM", hard=True)
START: Final = Rule("Picture", "start-offset", "at most 1 frame", hard=True)
CODEC: Final = Rule("Picture", "video-codec", "H.264 High in MP4, VP9 in WebM", hard=True)
PIXELS: Final = Rule("Picture", "pixel-format", "yuv420p", hard=True)
ASPECT: Final = Rule("Picture", "pixel-aspect", "1:1", hard=True)
SIZE: Final = Rule("Picture", "size", "as promised, even", hard=True)
RATE: Final = Rule("Picture", "frame-rate", "r_frame_rate = avg_frame_rate, as promised", hard=True)
FRAMES: Final = Rule("Picture", "frame-count", "round(total x fps), evenly spaced", hard=True)
KEYFRAMES: Final = Rule("Picture", "keyframes", "one at each step's start", hard=True)
COLOUR: Final = Rule("Picture", "colour-tags", "bt709 three times, range tv", hard=True)
AUDIO: Final = Rule("Sound", "audio-codec", "AAC-LC in MP4, Opus in WebM", hard=True)
FORMAT: Final = Rule("Sound", "audio-format", "48 kHz, stereo", hard=True)
BIT_RATE: Final = Rule("Sound", "audio-bit-rate", "AAC at least 128 kbit/s")
LENGTHS: Final = Rule("Sound", "av-difference", "at most 1 frame and 1 AAC frame", hard=True)


@dataclass(slots=True)
class _Track:
    """What the packets of a stream tell, in ticks of its time base: a film has thousands."""

    time_base: Fraction
    stamps: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    last: int = 0
    loud_bytes: int = 0
    loud_ticks: int = 0

    def add(self, packet: av.Packet[Any]) -> None:
        stamp = packet.pts
        if stamp is None:
            return  # the end of the file
        if packet.is_keyframe:
            self.keys.append(len(self.stamps))
        self.stamps.append(stamp)
        duration = packet.duration or 0
        self.last = max(self.last, stamp + duration)
        size = packet.size
        if size > _SILENT_PACKET:
            self.loud_bytes += size
            self.loud_ticks += duration

    @property
    def start(self) -> Fraction:
        """Seconds to what is presented first; 0 where nothing is."""
        # Packets before time 0 are an encoder's run-up, which players drop.
        return max(min(self.stamps, default=0), 0) * self.time_base

    @property
    def end(self) -> Fraction:
        """Seconds to the end of what is presented last."""
        return self.last * self.time_base


def video_checks(path: Path, expected: Expected) -> Iterator[Check]:
    """Yield the checks of the film at ``path``.

    Raises:
        av.FFmpegError: It cannot be opened or read.
    """
    with av.open(str(path), format=DEMUXERS[path.suffix]) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        tracks = {
            stream.index: _Track(cast("Fraction", stream.time_base)) for stream in (video, audio)
        }
        for packet in container.demux(video, audio):
            tracks[packet.stream.index].add(packet)
        shown, heard = tracks[video.index], tracks[audio.index]
        webm = path.suffix == ".webm"
        yield _container(path, webm=webm)
        yield _start(shown, heard, expected)
        yield from _picture(video.codec_context, str(video.profile), expected, webm=webm)
        rates = (video.base_rate, video.average_rate)
        same = set(rates) == {Fraction(expected.fps)}
        # WebM counts milliseconds: of a film of a few frames readers guess the rate.
        yield RATE.check(" = ".join(map(str, rates)), holds=same, excused=webm)
        yield _frames(shown, expected)
        missing = sorted(set(expected.starts) - set(shown.keys))
        told = f"none at frame {missing[0]}" if missing else f"{len(shown.keys)} keyframes"
        yield KEYFRAMES.check(told, holds=not missing)
        yield from _sound(audio.codec_context, str(audio.profile), heard, webm=webm)
        yield _lengths(shown, heard, expected)


def _container(path: Path, *, webm: bool) -> Check:
    if webm:
        with path.open("rb") as file:
            head = file.read(64)
        return CONTAINER.check("WebM" if b"webm" in head else "no WebM", holds=b"webm" in head)
    boxes = list(_boxes(path))
    holds = {"ftyp", "moov", "mdat"} <= set(boxes) and boxes.index("moov") < boxes.index("mdat")
    return CONTAINER.check("MP4: " + ", ".join(boxes[:6]), holds=holds)


def _boxes(path: Path) -> Iterator[str]:
    """Yield the names of an MP4's outermost boxes (ISO/IEC 14496-12, 4.2)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # a 64-bit length follows
                length = int.from_bytes(head[8:16], "big")
            yield head[4:8].decode("latin-1")
            if length < 8:  # noqa: PLR2004 - 0 means to the end; less than a head is broken
                return
            at += length


def _start(shown: _Track, heard: _Track, expected: Expected) -> Check:
    starts = [float(track.start) for track in (shown, heard)]
    told = f"picture {starts[0] * 1000:.1f} ms, sound {starts[1] * 1000:.1f} ms"
    return START.check(told, holds=max(starts) <= 1 / expected.fps)


def _picture(
    context: VideoCodecContext, profile: str, expected: Expected, *, webm: bool
) -> Iterator[Check]:
    name = f"{context.name} {profile}"
    yield CODEC.check(
        name, holds=context.name == "vp9" if webm else (context.name, profile) == ("h264", "High")
    )
    yield PIXELS.check(context.pix_fmt, holds=context.pix_fmt == "yuv420p")
    aspect = context.sample_aspect_ratio
    # WebM has no field for square pixels: none means square.
    yield ASPECT.check(aspect or "square", holds=not aspect or aspect == 1)
    size = (context.width, context.height)
    even = not (size[0] % 2 or size[1] % 2)
    yield SIZE.check(
        f"{size[0]}x{size[1]}", holds=even and size == (expected.width, expected.height)
    )
    tags = (context.colorspace, context.color_primaries, context.color_trc)
    told = f"matrix {tags[0]}, primaries {tags[1]}, transfer {tags[2]}, range {context.color_range}"
    right = set(map(int, tags)) == {_BT709} and int(context.color_range) == _TV_RANGE
    yield COLOUR.check("bt709, tv" if right else told, holds=right)


def _frames(shown: _Track, expected: Expected) -> Check:
    stamps = sorted(shown.stamps)
    step = 1 / (shown.time_base * expected.fps)  # ticks a frame; WebM counts milliseconds
    ticks, parts = step.numerator, step.denominator  # counted: sums of fractions are slow
    even = all(
        abs((stamp - stamps[0]) * parts - index * ticks) <= parts
        for index, stamp in enumerate(stamps)
    )
    told = f"{len(stamps)} of {expected.frames}" + ("" if even else ", unevenly spaced")
    return FRAMES.check(told, holds=even and len(stamps) == expected.frames)


def _sound(context: CodecContext, profile: str, heard: _Track, *, webm: bool) -> Iterator[Check]:
    sound = cast("av.AudioCodecContext", context)
    names = (sound.name, profile)
    yield AUDIO.check(
        " ".join(names), holds=sound.name.endswith("opus") if webm else names == ("aac", "LC")
    )
    right = (sound.sample_rate, sound.layout.name) == (48_000, "stereo")
    yield FORMAT.check(f"{sound.sample_rate} Hz, {sound.layout.name}", holds=right)
    if webm or not heard.loud_ticks:
        yield BIT_RATE.not_applicable("Opus" if webm else "silence")
    else:
        rate = 8 * heard.loud_bytes / float(heard.loud_ticks * heard.time_base)
        told = f"{rate / 1000:.0f} kbit/s"
        # An encoder spends what a sound needs: a pure tone needs less.
        yield BIT_RATE.check(told, holds=rate >= _LEAST_BIT_RATE, excused=True)


def _lengths(shown: _Track, heard: _Track, expected: Expected) -> Check:
    difference = abs(shown.end - heard.end)
    most = Fraction(1, expected.fps) + _AUDIO_FRAME
    return LENGTHS.check(f"{float(difference) * 1000:.1f} ms", holds=difference <= most)
