from __future__ import annotations

import av
import numpy as np
import pytest
from av.codec.context import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from app.render.model.storyboard import Quality
from app.render.video.encoder import Form, configure, to_frame
from app.render.video.skips import skip_slice
from tests.render.encoded import busy


def opened(form: Form, **x264: str) -> VideoCodecContext:
    """Return the encoder of ``form`` with further settings of x264."""
    context = av.CodecContext.create("libx264", "w")
    configure(context, form)
    further = "".join(f":{name}={value}" for name, value in x264.items())
    parameters = context.options["x264-params"] + further
    context.options = {**context.options, "x264-params": parameters}
    context.flags |= Flags.global_header
    context.open()
    return context


def shown(encoder: VideoCodecContext, skip: bytes, *, times: int) -> list[NDArray[np.uint8]]:
    """Return what a decoder shows of a picture without flat parts and of ``times`` skip slices."""
    frame = to_frame(busy(1, width=encoder.width, height=encoder.height))
    frame.pts, frame.time_base = 0, encoder.time_base
    packets = [bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]]
    assert len(packets) == 1
    for number in range(1, times + 1):
        head = int.from_bytes(skip[5:7]) | number % 16 << 5
        packets.append(skip[:5] + head.to_bytes(2) + skip[7:])
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata, decoder.thread_count = encoder.extradata, 1
    decoder.options = {"err_detect": "explode"}
    frames = [frame for data in packets for frame in decoder.decode(Packet(data))]
    return [frame.to_ndarray().astype(np.uint8) for frame in [*frames, *decoder.decode(None)]]


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
@pytest.mark.parametrize("size", [(64, 64), (160, 90), (90, 160), (426, 240), (640, 362)])
def test_a_skip_slice_shows_the_last_picture_again(size: tuple[int, int], quality: Quality) -> None:
    encoder = opened(Form("mp4", *size, 30, quality))
    skip = skip_slice(encoder.extradata or b"")
    assert skip is not None
    frames = shown(encoder, skip, times=18)
    assert len(frames) == 19
    assert all(np.array_equal(frames[0], frame) for frame in frames)


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
def test_a_skip_slice_is_no_longer_than_that_of_x264(quality: Quality) -> None:
    encoder = opened(Form("mp4", 320, 180, 30, quality))
    grey = to_frame(np.full((180, 320, 3), 128, np.uint8))
    packets = []
    for number in range(2):  # x264 skips all of a flat picture from its second frame on
        grey.pts, grey.time_base = number, encoder.time_base
        packets += [bytes(packet) for packet in encoder.encode(grey)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    skip = skip_slice(encoder.extradata or b"")
    assert skip is not None
    assert 7 < len(skip) <= len(packets[1])


@pytest.mark.parametrize("setting", ["weightp", "8x8dct", "no-deblock", "crf"])
def test_the_slice_follows_the_headers(setting: str) -> None:
    values = {"weightp": "0", "8x8dct": "0", "no-deblock": "1", "crf": "40"}
    encoder = opened(Form("mp4", 160, 90, 30, "high"), **{setting: values[setting]})
    skip = skip_slice(encoder.extradata or b"")
    assert skip is not None
    frames = shown(encoder, skip, times=3)
    assert len(frames) == 4
    assert all(np.array_equal(frames[0], frame) for frame in frames)


@pytest.mark.parametrize("setting", [{"bframes": "2"}, {"ref": "2"}])
def test_headers_with_other_fields_are_refused(setting: dict[str, str]) -> None:
    encoder = opened(Form("mp4", 160, 90, 30, "high"), **setting)
    assert encoder.extradata
    assert skip_slice(encoder.extradata) is None


def test_without_headers_there_is_no_slice() -> None:
    assert skip_slice(b"") is None
