"""Segments: each step encoded by itself, from its own keyframe on.

A segment depends on its pictures and its form alone, so that it may be kept and
used again. A *hold* (one picture for many frames) costs x264 a skip packet a frame.
Once these repeat themselves (:mod:`app.render.video.holds`), the rest of the hold is
numbered instead of encoded, and the encoder goes on as if it had made them.
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
    """One encoded frame. ``keyframe``: decoding may start at it."""

    data: bytes
    keyframe: bool


class X264Segment:
    """Encodes the ``frames`` frames of a step, the first of them as a keyframe.

    Args:
        form: What the film's pictures have in common.
        frames: All that the runs will add up to.
        replay: Whether holds are repeated; without, every frame is encoded, to the
            same bytes.
    """

    def __init__(self, form: Form, *, frames: int, replay: bool = True) -> None:
        self._context = open_encoder(form)
        self._replay = replay
        self._asked = 0
        self._frames = frames
        self._given = 0
        # What the encoder itself has taken and given, which leaves replays out.
        self._fed = 0
        self._coded = 0
        self._repetition = Repetition()
        self._hold = 0

    def encode(self, frame: av.VideoFrame, *, frames: int) -> Iterator[Coded]:
        """Show ``frame`` for ``frames`` frames; yield what is ready, in order."""
        frame.time_base = self._context.time_base
        self._asked += frames
        last = self._asked == self._frames
        self._hold = self._fed
        self._repetition.begin()
        while frames:
            if self._replay and (turn := self._repetition.turn()):
                if last:
                    yield from self._repeated(turn, self._frames - self._given)
                    return
                # Whole periods: the encoder's own counts stay in step.
                skipped = frames - frames % turn.period
                yield from self._repeated(turn, skipped)
                frames -= skipped
                if not frames:
                    return
            frame.pts = self._fed
            self._fed += 1
            frames -= 1
            yield from self._taken(self._context.encode(frame))
        if last:
            yield from self._taken(self._context.encode(None))

    def _taken(self, packets: Iterable[Packet[Any]]) -> Iterator[Coded]:
        """Note what the encoder gives, which may lag behind what it took."""
        for packet in packets:
            coded = Coded(bytes(packet), bool(packet.is_keyframe))
            self._repetition.note(coded.data, self._coded, hold=self._hold)
            self._coded += 1
            self._given += 1
            yield coded

    def _repeated(self, turn: Turn, count: int) -> Iterator[Coded]:
        self._given += count
        for data in turn.packets(self._coded, count):
            yield Coded(data, keyframe=False)
