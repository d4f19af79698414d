from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from app.render.model.storyboard import Quality
from app.render.video.encoder import Form, to_frame
from app.render.video.holds import VP9_AGAIN
from app.render.video.segments import Coded
from tests.render.encoded import COLOURS, Shown, busy, coded, decoded_rgb, film, plain, tone

FORM = Form("webm", 320, 180, 30, "draft")
#: Holds, changes, single frames as of something that moves, and a second step.
SHOWN: list[Shown] = [
    (busy(1), 90, True), (busy(2), 40, False), (busy(3), 1, False), (busy(4), 1, False),
    (busy(1), 60, False), (busy(5), 70, True), (busy(6), 1, True),
]  # fmt: skip


def frames_of(path: Path, decoder: str) -> list[Any]:
    context = av.CodecContext.create(decoder, "r")
    assert isinstance(context, VideoCodecContext)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        found = [frame for packet in packets for frame in context.decode(packet)]
    return [frame.to_ndarray() for frame in [*found, *context.decode(None)]]


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
@pytest.mark.parametrize("fps", [24, 60])
def test_the_streams_are_what_a_preview_must_be(tmp_path: Path, fps: int, quality: Quality) -> None:
    shown: list[Shown] = [(plain(COLOURS[9]), 37, True)]
    path = film(tmp_path / "film.webm", shown, container="webm", fps=fps, quality=quality)
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert (video.codec.name, video.profile) == ("vp9", "Profile 0")
        assert context.pix_fmt == "yuv420p"
        assert (context.color_range, context.colorspace) == (1, 1)
        assert (context.color_primaries, context.color_trc) == (1, 1)
        assert video.sample_aspect_ratio == Fraction(1)
        assert video.average_rate == video.base_rate == fps
        assert (sound.codec.name, sound.rate, sound.layout.name) == ("opus", 48_000, "stereo")
        assert video.start_time == 0
        packets = [packet for packet in container.demux(video) if packet.size]
        assert video.time_base is not None
        # WebM counts in milliseconds.
        times = [packet.pts * video.time_base for packet in packets if packet.pts is not None]
        assert len(times) == 37
        assert max(abs(time - Fraction(n, fps)) for n, time in enumerate(times)) <= 0.0005
        assert container.duration is not None
        assert abs(container.duration / 1e6 - 37 / fps) <= 1 / fps + 0.02


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
def test_a_colour_is_decoded_within_3_of_what_went_in(tmp_path: Path, quality: Quality) -> None:
    shown: list[Shown] = [(plain(colour), 3, True) for colour in COLOURS]
    path = film(tmp_path / "film.webm", shown, container="webm", quality=quality)
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            error = np.abs(decoded_rgb(frame) - COLOURS[number // 3]).max()
            assert error <= 3, COLOURS[number // 3]


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
def test_every_frame_is_the_picture_that_was_to_be_shown(tmp_path: Path, quality: Quality) -> None:
    path = film(tmp_path / "film.webm", SHOWN, container="webm", quality=quality)
    frames = frames_of(path, "vp9")
    wanted = [to_frame(picture).to_ndarray() for picture, count, _ in SHOWN for _ in range(count)]
    assert len(frames) == len(wanted) == 263
    for number, (frame, picture) in enumerate(zip(frames, wanted, strict=True)):
        difference = (frame.astype(float) - picture) ** 2
        assert 10 * np.log10(255**2 / difference.mean()) > 33, number
    # What Firefox and FFmpeg decode is what Chromium's libvpx does.
    other = frames_of(path, "libvpx-vp9")
    assert all(np.array_equal(one, two) for one, two in zip(frames, other, strict=True))


def test_a_hold_stands_still_and_costs_a_byte_a_frame(tmp_path: Path) -> None:
    packets = list(coded([(busy(1), 299, True)], FORM))
    assert packets[1:] == [Coded(VP9_AGAIN, keyframe=False)] * 298
    frames = frames_of(film(tmp_path / "f.webm", SHOWN[:1], container="webm"), "vp9")
    assert all(np.array_equal(one, two) for one, two in pairwise(frames))


def test_decoding_starts_at_every_step_and_at_every_hold(tmp_path: Path) -> None:
    path = film(tmp_path / "film.webm", SHOWN, container="webm")
    whole = frames_of(path, "vp9")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [n for n, packet in enumerate(packets) if packet.is_keyframe] == [
            0,
            90,
            132,
            192,
            262,
        ]
        decoder = av.CodecContext.create("vp9", "r")
        assert isinstance(decoder, VideoCodecContext)
        (frame,) = decoder.decode(packets[192])
        assert np.array_equal(frame.to_ndarray(), whole[192])


def test_the_same_film_has_the_same_bytes_that_tell_of_no_library(tmp_path: Path) -> None:
    first, second = (
        film(tmp_path / name, SHOWN, container="webm", sound=tone(9)).read_bytes()
        for name in ("a.webm", "b.webm")
    )
    assert first == second
    assert b"Lavf6" not in first
    assert b"Lavc6" not in first
    # The index stands before the pictures: a player can seek at once.
    assert 0 < first.index(b"\x1c\x53\xbb\x6b") < first.index(b"\x1f\x43\xb6\x75")


def test_a_segment_without_replay_is_encoded_frame_by_frame() -> None:
    frames = list(coded([(busy(1), 12, True)], FORM, replay=False))
    assert len(frames) == 12
    assert all(frame.data != VP9_AGAIN for frame in frames)
