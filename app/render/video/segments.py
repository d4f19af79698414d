"""Segments: steps, and the parts of long ones, encoded each by itself, from a keyframe on.

A segment depends on its pictures and its form alone, so that it may be kept and used again, and
encoded at the same time as others.
A hold (one picture for many frames) is encoded once, by an encoder of its own that gives the
picture all the quality it needs; every further frame shows it again
(:mod:`app.render.video.holds`). What moves next goes on from there.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from app.render.picture.compose import Run
from app.render.video.encoder import Form, open_encoder
from app.render.video.holds import Repeats, repeats

#: Frames from which a picture is worth a keyframe of its own.
LONG: Final = 12
#: Seconds between keyframes in a hold, and seconds for which none is worth its bytes. To show a
#: moment, a player decodes all since the last one: with none, Chromium took 46 s to reach the end
#: of a hold of ten minutes.
KEY_SECONDS, _REST_SECONDS = 10, 3


@dataclass(frozen=True, slots=True)
class Coded:
    """One encoded frame.

    Attributes:
        data: Its packet.
        keyframe: Whether decoding can start at it.
    """

    data: bytes
    keyframe: bool


def parted(runs: Sequence[Run], form: Form) -> Iterator[tuple[Run, ...]]:
    """Divide the runs of a step into those of its segments.

    A step of more pictures than ``KEY_SECONDS`` has several, of about equal numbers of pictures.
    """
    count = math.ceil(len(runs) / (KEY_SECONDS * form.fps))
    ends = [len(runs) * part // count for part in range(count + 1)]
    return (tuple(runs[start:end]) for start, end in pairwise(ends))


class Segment:
    """Encodes the ``frames`` frames of a segment, the first of them as a keyframe.

    Args:
        form: What the film's pictures have in common.
        frames: All that the runs will add up to.
        replay: Whether pictures are shown again; without, every frame is encoded.
    """

    def __init__(self, form: Form, *, frames: int, replay: bool = True) -> None:
        self._form = form
        self._left = frames
        self._repeats = repeats(form) if replay else None
        self._encoder: VideoCodecContext | None = None
        self._fed = 0
        #: For each packet that the encoder still owes, how often it is shown again.
        self._owed: deque[int] = deque()
        #: Frames since the last keyframe: of what has been asked for, and of what has been given.
        self._asked = 0
        self._given = 0
        self._begun = False

    def encode(self, frame: av.VideoFrame, *, frames: int) -> Iterator[Coded]:
        """Show ``frame`` for ``frames`` frames; yield what is ready, in order."""
        self._left -= frames
        if self._repeats is None:
            for _ in range(frames):
                yield from self._feed(frame, again=0)
        else:
            if frames >= LONG:
                if self._asked == 1:  # two IDR pictures in a row would need different numbers
                    yield from self._feed(frame, again=0)
                    frames -= 1
                yield from self._flush()
                self._open(held=frame)
            yield from self._feed(frame, again=frames - 1)
        if not self._left:
            yield from self._flush()

    def _open(self, *, held: av.VideoFrame | None = None) -> VideoCodecContext:
        self._encoder = open_encoder(self._form, held=held)
        self._fed = self._asked = 0
        return self._encoder

    def _feed(self, frame: av.VideoFrame, *, again: int) -> Iterator[Coded]:
        encoder = self._encoder or self._open()
        frame.pts, frame.time_base = self._fed, encoder.time_base
        self._fed += 1
        self._asked += 1 + again
        self._owed.append(again)
        yield from self._taken(encoder.encode(frame))

    def _flush(self) -> Iterator[Coded]:
        if self._encoder is not None:
            yield from self._taken(self._encoder.encode(None))
            self._encoder = None

    def _taken(self, packets: Iterable[Packet[Any]]) -> Iterator[Coded]:
        """Yield what the encoder gives, which may lag behind what it took, and its repeats."""
        for packet in packets:
            data, keyframe = bytes(packet), bool(packet.is_keyframe)
            again = self._owed.popleft()
            if self._repeats is None:
                yield Coded(data, keyframe)
                continue
            self._given = 0 if keyframe else self._given + 1
            if keyframe and self._begun:
                data = self._repeats.key(data)
            elif not keyframe:
                data = self._repeats.coded(data, self._given)
            self._begun = True
            yield Coded(data, keyframe)
            key = self._repeats.key(data) if keyframe else b""
            yield from self._again(self._repeats, again, key)

    def _again(self, repeats: Repeats, count: int, key: bytes) -> Iterator[Coded]:
        """Show the last picture ``count`` times; ``key`` is its keyframe, if it is one."""
        fps = self._form.fps
        for left in range(count, 0, -1):
            self._given += 1
            if key and self._given == KEY_SECONDS * fps and left > _REST_SECONDS * fps:
                self._given = 0
                yield Coded(key, keyframe=True)
            else:
                yield Coded(repeats.again(self._given), keyframe=False)
