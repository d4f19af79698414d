"""Segments of WebM films: VP9, whose holds cost a byte a frame.

A hold is encoded until its picture rests; then each frame is a packet that tells
the decoder to show again what it showed last (``show_existing_frame``, VP9
bitstream specification 6.2 and 7.2), and the encoder is not asked at all. Frames do
not depend on what decoding the ones before has left in the entropy coder
(``error-resilient``), so nothing is out of step when something moves again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import av
from av.packet import Packet

from app.render.video.encoder import Form, open_encoder
from app.render.video.segments import Coded

#: Frames of a hold that are encoded. The first is as good as its quality asks; a few more take
#: away what prediction from another picture has left.
REST: Final = 4
#: Frame marker 10, profile 00, show_existing_frame 1, buffer 000: the one that libvpx puts
#: every frame into.
SHOW_AGAIN: Final = Coded(b"\x88", keyframe=False)


class Vp9Segment:
    """Encodes the ``frames`` frames of a step, the first of them as a keyframe.

    Args:
        form: What the film's pictures have in common.
        frames: All that the runs will add up to.
        replay: Whether holds are shown again; without, every frame is encoded.
    """

    def __init__(self, form: Form, *, frames: int, replay: bool = True) -> None:
        self._context = open_encoder(form)
        self._left = frames
        self._replay = replay
        self._fed = 0

    def encode(self, frame: av.VideoFrame, *, frames: int) -> Iterator[Coded]:
        """Show ``frame`` for ``frames`` frames; yield what is ready, in order."""
        frame.time_base = self._context.time_base
        self._left -= frames
        for _ in range(min(frames, REST) if self._replay else frames):
            frame.pts = self._fed
            self._fed += 1
            yield from _taken(self._context.encode(frame))
        if self._replay:
            for _ in range(frames - REST):
                yield SHOW_AGAIN
        if not self._left:
            yield from _taken(self._context.encode(None))


def _taken(packets: Iterable[Packet[Any]]) -> Iterator[Coded]:
    for packet in packets:
        yield Coded(bytes(packet), bool(packet.is_keyframe))
