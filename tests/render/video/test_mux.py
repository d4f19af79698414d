from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.render.model.storyboard import Quality
from app.render.sound.codec import AAC
from app.render.sound.encoding import encoded
from app.render.video.encoder import Form
from app.render.video.mux import FilmWriter
from tests.render.encoded import COLOURS, busy, coded, decoded_rgb, film, plain, silence, tone

FORM = Form("mp4", 320, 180, 30, "draft")


def boxes(content: bytes) -> list[str]:
    """Names of the top-level boxes of an MP4, in order."""
    names, at = [], 0
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        names.append(name.decode())
        at += size
    return names


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
def test_a_colour_is_decoded_within_3_of_what_went_in(tmp_path: Path, quality: Quality) -> None:
    path = film(tmp_path / "film.mp4", [(plain(c), 3, True) for c in COLOURS], quality=quality)
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            error = np.abs(decoded_rgb(frame) - COLOURS[number // 3]).max()
            assert error <= 3, COLOURS[number // 3]


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_the_streams_are_what_a_preview_must_be(tmp_path: Path, fps: int, quality: Quality) -> None:
    path = film(tmp_path / "film.mp4", [(plain(COLOURS[9]), 37, True)], fps=fps, quality=quality)
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert (video.codec.name, video.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.color_range, context.colorspace) == (1, 1)
        assert (context.color_primaries, context.color_trc) == (1, 1)
        assert video.sample_aspect_ratio == Fraction(1)
        assert video.average_rate == video.base_rate == fps
        assert (video.frames, video.start_time) == (37, 0)
        assert video.duration is not None
        assert video.time_base is not None
        assert video.duration * video.time_base == Fraction(37, fps)
        assert (sound.codec.name, sound.profile) == ("aac", "LC")
        assert (sound.rate, sound.layout.name) == (48_000, "stereo")
        assert sound.start_time == 0
        assert sound.duration is not None
        assert abs(sound.duration / 48_000 - 37 / fps) <= 1 / fps + 1024 / 48_000


def test_frames_are_numbered_without_gaps_and_no_edit_shifts_them(tmp_path: Path) -> None:
    runs = [(plain(COLOURS[0]), 7, True), (plain(COLOURS[1]), 5, False)]
    with av.open(str(film(tmp_path / "film.mp4", runs, fps=25))) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        packets = [p for p in container.demux(stream) if p.size]
        step = Fraction(1, 25) / stream.time_base
        assert [p.pts for p in packets] == [n * step for n in range(12)]
        assert [p.dts for p in packets] == [p.pts for p in packets]


def test_decoding_starts_at_every_step_and_hold(tmp_path: Path) -> None:
    runs = [
        (plain(COLOURS[2]), 40, True),
        (plain(COLOURS[5]), 20, False),
        (plain(COLOURS[9]), 400, True),
        (plain(COLOURS[10]), 1, True),
    ]
    with av.open(str(film(tmp_path / "film.mp4", runs))) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        assert [n for n, p in enumerate(packets) if p.is_keyframe] == [0, 40, 60, 360, 460]
        # Closed GOPs: a decoder that begins at the second step needs nothing before it.
        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.extradata = container.streams.video[0].codec_context.extradata
        first = [*decoder.decode(packets[60]), *decoder.decode(None)][0]
        assert np.abs(decoded_rgb(first) - COLOURS[9]).max() <= 3


def test_the_index_stands_before_the_media(tmp_path: Path) -> None:
    names = boxes(film(tmp_path / "film.mp4", [(plain(COLOURS[0]), 30, True)]).read_bytes())
    assert names.index("moov") < names.index("mdat")


def test_the_same_film_has_the_same_bytes(tmp_path: Path) -> None:
    files = [
        film(
            tmp_path / name,
            [(plain(COLOURS[3]), 40, True), (busy(7), 50, True)],
            quality="standard",
            sound=tone(3),
        ).read_bytes()
        for name in ("a.mp4", "b.mp4")
    ]
    assert files[0] == files[1]
    assert b"Lavf" not in files[0]
    assert b"Lavc" not in files[0]


def test_sound_is_where_the_picture_is(tmp_path: Path) -> None:
    loud = np.zeros((96_000, 2), np.float32)
    loud[48_000:] = next(tone(1))
    path = film(tmp_path / "film.mp4", [(plain(COLOURS[0]), 60, True)], sound=iter([loud]))
    with av.open(str(path)) as container:
        heard = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)
    starts = int(np.flatnonzero(np.abs(heard[0]) > 0.1)[0])
    assert abs(starts - 48_000) < 480  # 10 ms
    assert np.abs(heard[0, 60_000:90_000]).max() == pytest.approx(0.5, abs=0.05)


def test_nothing_is_left_when_a_film_breaks_off(tmp_path: Path) -> None:
    def begin() -> None:
        with FilmWriter(
            tmp_path / "film.mp4", FORM, sound=encoded(silence(9), codec=AAC)
        ) as writer:
            for frame in coded([(plain(COLOURS[0]), 60, True)], FORM):
                writer.write(frame)
                if writer.frames == 45:
                    assert list(tmp_path.iterdir())
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_a_film_cannot_begin_or_end(tmp_path: Path) -> None:
    def broken() -> Iterator[NDArray[np.float32]]:
        yield np.zeros((10, 2), np.float32)
        raise OSError(28, "no space left")

    runs = [(plain(COLOURS[0]), 5, True)]
    with pytest.raises(OSError, match="no space left"):
        film(tmp_path / "film.mp4", runs, sound=broken())
    with pytest.raises((av.FFmpegError, ValueError)):
        film(tmp_path / "film.mp4", [(plain(COLOURS[0], width=321), 5, True)])
    assert list(tmp_path.iterdir()) == []


def test_the_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    seen = []
    with FilmWriter(path, FORM, sound=encoded(silence(1), codec=AAC)) as writer:
        for frame in coded([(plain(COLOURS[0]), 30, True)], FORM):
            writer.write(frame)
            seen.append((writer.frames, path.exists()))
    assert seen == [(number, False) for number in range(1, 31)]
    assert path.exists()
    assert writer.x264_version.isdigit()
