"""Checks the container and streams of the film without decoding it."""

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

#: Demuxer by suffix of the film. No other demuxer is tried.
DEMUXERS: Final = {".mp4": "mp4", ".webm": "matroska"}
#: Seconds of one AAC frame: 1024 samples at 48 kHz. Opus packets are shorter.
_AUDIO_FRAME: Final = Fraction(1024, 48_000)
#: FFmpeg's numbers: bt709 as matrix, primaries and transfer (AVCOL_*_BT709), tv as range.
_BT709, _TV_RANGE = 1, 1
#: Packets of at most this many bytes are silence, and do not count towards the bit rate.
_SILENT_PACKET: Final = 64
_LEAST_BIT_RATE: Final = 128_000

CONTAINER: Final = Rule("Picture", "container", "MP4 with moov before mdat, or WebM", hard=True)
START: Final = Rule("Picture", "start-offset", "at most 1 frame", hard=True)
CODEC: Final = Rule("Picture", "video-codec", "H.264 High in MP4, VP9 in WebM", hard=True)
PIXELS: Final = Rule("Picture", "pixel-format", "yuv420p", hard=True)
ASPECT: Final = Rule("Picture", "pixel-aspect", "1:1", hard=True)
SIZE: Final = Rule("Picture", "size", "as in the manifest, both sides even", hard=True)
RATE: Final = Rule(
    "Picture", "frame-rate", "r_frame_rate and avg_frame_rate as in the manifest", hard=True
)
FRAMES: Final = Rule("Picture", "frame-count", "as in the manifest, evenly spaced", hard=True)
KEYFRAMES: Final = Rule("Picture", "keyframes", "one at the start of each step", hard=True)
COLOUR: Final = Rule(
    "Picture", "colour-tags", "matrix, primaries and transfer bt709; range tv", hard=True
)
AUDIO: Final = Rule("Sound", "audio-codec", "AAC-LC in MP4, Opus in WebM", hard=True)
FORMAT: Final = Rule("Sound", "audio-format", "48 kHz, stereo", hard=True)
BIT_RATE: Final = Rule("Sound", "audio-bit-rate", "AAC at least 128 kbit/s")
LENGTHS: Final = Rule("Sound", "av-difference", "at most 1 video frame + 1 AAC frame", hard=True)


@dataclass(slots=True)
class _Track:
    """Times and sizes of a stream's packets. A film has thousands, so times are ticks."""

    time_base: Fraction
    stamps: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    last: int = 0
    loud_bytes: int = 0
    loud_ticks: int = 0

    def add(self, packet: av.Packet[Any]) -> None:
        stamp = packet.pts
        if stamp is None:
            return  # flushes the demuxer at the end of the file
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
        """Start of the presentation in seconds; 0 without packets."""
        # Packets before time 0 are the encoder's priming samples, which players drop.
        return max(min(self.stamps, default=0), 0) * self.time_base

    @property
    def end(self) -> Fraction:
        """End of the presentation in seconds."""
        return self.last * self.time_base


def video_checks(path: Path, expected: Expected) -> Iterator[Check]:
    """Yield the checks of the film at ``path``.

    Raises:
        av.FFmpegError: The film cannot be opened or read.
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
        # WebM stores times in milliseconds, so readers guess the rate of a film of a few frames.
        measured = f"r_frame_rate {rates[0]}, avg_frame_rate {rates[1]}"
        yield RATE.check(measured, holds=same, excused=webm)
        yield _frames(shown, expected)
        missing = sorted(set(expected.starts) - set(shown.keys))
        measured = f"none at frame {missing[0]}" if missing else f"{len(shown.keys)} keyframes"
        yield KEYFRAMES.check(measured, holds=not missing)
        yield from _sound(audio.codec_context, str(audio.profile), heard, webm=webm)
        yield _lengths(shown, heard, expected)


def _container(path: Path, *, webm: bool) -> Check:
    if webm:
        with path.open("rb") as file:
            head = file.read(64)
        return CONTAINER.check("WebM" if b"webm" in head else "not WebM", holds=b"webm" in head)
    boxes = list(_boxes(path))
    holds = {"ftyp", "moov", "mdat"} <= set(boxes) and boxes.index("moov") < boxes.index("mdat")
    return CONTAINER.check("MP4: " + ", ".join(boxes[:6]), holds=holds)


def _boxes(path: Path) -> Iterator[str]:
    """Yield the types of the top-level boxes of an MP4 file (ISO/IEC 14496-12, 4.2)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # a 64-bit size follows
                length = int.from_bytes(head[8:16], "big")
            yield head[4:8].decode("latin-1")
            if length < 8:  # 0: the box extends to the end; 2 to 7: invalid
                return
            at += length


def _start(shown: _Track, heard: _Track, expected: Expected) -> Check:
    starts = [float(track.start) for track in (shown, heard)]
    measured = f"picture {starts[0] * 1000:.1f} ms, sound {starts[1] * 1000:.1f} ms"
    return START.check(measured, holds=max(starts) <= 1 / expected.fps)


def _picture(
    context: VideoCodecContext, profile: str, expected: Expected, *, webm: bool
) -> Iterator[Check]:
    name = f"{context.name} {profile}"
    yield CODEC.check(
        name, holds=context.name == "vp9" if webm else (context.name, profile) == ("h264", "High")
    )
    yield PIXELS.check(context.pix_fmt, holds=context.pix_fmt == "yuv420p")
    aspect = context.sample_aspect_ratio
    # WebM does not tag square pixels.
    measured = f"{aspect.numerator}:{aspect.denominator}" if aspect else "not tagged, so 1:1"
    yield ASPECT.check(measured, holds=not aspect or aspect == 1)
    size = (context.width, context.height)
    even = not (size[0] % 2 or size[1] % 2)
    yield SIZE.check(
        f"{size[0]}x{size[1]}", holds=even and size == (expected.width, expected.height)
    )
    tags = (context.colorspace, context.color_primaries, context.color_trc)
    numbers = f"{tags[0]}, {tags[1]}, {tags[2]}; range {context.color_range}"
    right = set(map(int, tags)) == {_BT709} and int(context.color_range) == _TV_RANGE
    yield COLOUR.check("bt709, tv" if right else f"FFmpeg's numbers {numbers}", holds=right)


def _frames(shown: _Track, expected: Expected) -> Check:
    stamps = sorted(shown.stamps)
    step = 1 / (shown.time_base * expected.fps)  # ticks per frame; may be a fraction in WebM
    ticks, parts = step.numerator, step.denominator  # integers, because adding fractions is slow
    even = all(
        abs((stamp - stamps[0]) * parts - index * ticks) <= parts
        for index, stamp in enumerate(stamps)
    )
    measured = f"{len(stamps)} of {expected.frames}" + ("" if even else ", unevenly spaced")
    return FRAMES.check(measured, holds=even and len(stamps) == expected.frames)


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
        # An encoder spends only what a sound needs. A pure tone needs less.
        yield BIT_RATE.check(
            f"{rate / 1000:.0f} kbit/s", holds=rate >= _LEAST_BIT_RATE, excused=True
        )


def _lengths(shown: _Track, heard: _Track, expected: Expected) -> Check:
    difference = abs(shown.end - heard.end)
    most = Fraction(1, expected.fps) + _AUDIO_FRAME
    return LENGTHS.check(f"{float(difference) * 1000:.1f} ms", holds=difference <= most)
