"""Segments: the encoded frames of one step, which begin with a keyframe.

A segment depends only on its pictures and their format, so it can be cached. In a *hold* (one
picture for many frames), x264 makes one skip packet per frame. Once these packets repeat
(:mod:`app.render.video.holds`), the segment copies them for the rest of the hold, and the encoder
continues as if it had made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.packet import Packet

from app.render.video.encoder import Form, open_encoder
from app.render.video.holds import Repetition, Turn


@dataclass(frozen=True, slots=True)
class Coded:
    """One encoded frame.

    Attributes:
        data: Its packet.
        keyframe: Whether decoding can start at it.
    """

    data: bytes
    keyframe: bool


class X264Segment:
    """Encodes the frames of a step, the first as a keyframe.

    Args:
        form: Format of the pictures.
        frames: Number of frames in the step.
        replay: Whether packets of holds are repeated. If not, every frame is encoded, to the same
            bytes.
    """

    def __init__(self, form: Form, *, frames: int, replay: bool = True) -> None:
        self._context = open_encoder(form)
        self._replay = replay
        self._requested = 0
        self._frames = frames
        self._yielded = 0
        # Frames into and packets out of the encoder, without repeated ones.
        self._fed = 0
        self._coded = 0
        self._repetition = Repetition()
        self._hold = 0

    def encode(self, frame: av.VideoFrame, *, frames: int) -> Iterator[Coded]:
        """Encode a picture for ``frames`` frames. Yield finished packets in order."""
        frame.time_base = self._context.time_base
        self._requested += frames
        last = self._requested == self._frames
        self._hold = self._fed
        self._repetition.begin()
        while frames:
            if self._replay and (turn := self._repetition.turn()):
                if last:
                    yield from self._repeated(turn, self._frames - self._yielded)
                    return
                # Skip whole periods only, so that the encoder's counters stay in phase.
                skipped = frames - frames % turn.period
                yield from self._repeated(turn, skipped)
                frames -= skipped
                if not frames:
                    return
            frame.pts = self._fed
            self._fed += 1
            frames -= 1
            yield from self._packets(self._context.encode(frame))
        if last:
            yield from self._packets(self._context.encode(None))

    def _packets(self, packets: Iterable[Packet[Any]]) -> Iterator[Coded]:
        """Yield packets of the encoder, which may lag behind its input, and record them."""
        for packet in packets:
            coded = Coded(bytes(packet), bool(packet.is_keyframe))
            self._repetition.note(coded.data, self._coded, hold=self._hold)
            self._coded += 1
            self._yielded += 1
            yield coded

    def _repeated(self, turn: Turn, count: int) -> Iterator[Coded]:
        self._yielded += count
        for data in turn.packets(self._coded, count):
            yield Coded(data, keyframe=False)
