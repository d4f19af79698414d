from __future__ import annotations

import pytest

from app.render.model.storyboard import Quality
from app.render.video.encoder import Form, open_encoder, to_frame
from app.render.video.holds import H264Repeats, Vp9Repeats, _holds, repeats
from tests.render.encoded import busy


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
@pytest.mark.parametrize(("width", "height"), [(64, 64), (160, 90), (90, 160), (640, 362)])
def test_every_form_has_a_packet_that_shows_a_picture_again(
    width: int, height: int, quality: Quality
) -> None:
    for threads in (1, 2, 4):
        found = repeats(Form("mp4", width, height, 30, quality, threads))
        assert isinstance(found, H264Repeats)
        assert len(found.skip) < 40


def test_a_packet_that_changes_a_picture_is_refused() -> None:
    form = Form("mp4", 160, 90, 30, "standard", 1)
    encoder = open_encoder(form)
    packets = []
    for number in range(3):  # something moves
        frame = to_frame(busy(number, width=160, height=90))
        frame.pts, frame.time_base = number, encoder.time_base
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    assert not _holds(H264Repeats(packets[-1]), form)
    assert not _holds(H264Repeats(packets[0]), form)  # no P slice


def test_frames_are_numbered_modulo_16_and_nothing_else_changes() -> None:
    found = repeats(Form("mp4", 160, 90, 30, "standard", 1))
    assert isinstance(found, H264Repeats)
    assert found.again(1) == found.again(17) == found.again(1601)
    assert len({found.again(number) for number in range(16)}) == 16
    assert found.coded(found.again(5), 3) == found.again(3)


def test_vp9_has_one_packet_for_all() -> None:
    found = repeats(Form("webm", 160, 90, 30, "draft", 1))
    assert isinstance(found, Vp9Repeats)
    assert found.again(1) == found.again(2) == b"\x88"
