from __future__ import annotations

from app.render.video.encoder import Form
from app.render.video.holds import H264Repeats, Vp9Repeats, repeats


def test_frames_are_numbered_modulo_16_and_nothing_else_changes() -> None:
    found = repeats(Form("mp4", 160, 90, 30, "standard"))
    assert isinstance(found, H264Repeats)
    assert found.again(1) == found.again(17) == found.again(1601)
    assert len({found.again(number) for number in range(16)}) == 16
    assert found.coded(found.again(5), 3) == found.again(3)


def test_vp9_has_one_packet_for_all() -> None:
    found = repeats(Form("webm", 160, 90, 30, "draft"))
    assert isinstance(found, Vp9Repeats)
    assert found.again(1) == found.again(2) == b"\x88"
