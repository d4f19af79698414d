"""Segments: each step encoded by itself, from its own keyframe on.

A segment depends on its pictures and its form alone, so that it may be kept and
used again. A *hold* (one picture for many frames) costs x264 a skip packet a frame.
Once its picture has come to rest, these differ in two counts of frames alone: in
``frame_num`` of the slice's header (ITU-T H.264, 7.3.3; four bits) and in a bit at
the end of a CABAC slice that x264 takes from a word of 32 (its ``common/cabac.c``).
So when packets have agreed in all else for long enough, the rest of the hold is
numbered instead of encoded, and the encoder goes on as if it had made them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.render.encoder import open_encoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import av
    from av.packet import Packet

    from app.render.encoder import Form

#: Packets after which both counts begin again.
PERIOD: Final = 32
#: A busy picture never rests quite: x264 adds and takes back steps of one code value, in turns
#: of 1, 2, 4 or 8 frames.
TURN: Final = 8
#: So many packets must be as those a turn before. Of 42 noisy pictures in all qualities, none
#: that had agreed twice in a row changed again; and no 10 of x264's last bits are as those 8
#: before, so that packets that have them are not taken for such that do not.
REST: Final = 12
#: Where frame_num stands: behind start code and NAL header, after 1, 00110 and 1 (first
#: macroblock 0, a P slice, parameter set 0).
_COUNT_BYTES: Final = slice(5, 7)
_COUNT_MASK, _COUNT_SHIFT = 0x01E0, 5
#: x264's word of last bits, by the number of the frame modulo 32.
_LAST_BITS: Final = 0x35A4E4F5


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
        self._ways = (
            _Numbering(signed=True, turn=TURN, rest=REST),
            _Numbering(signed=False, turn=TURN, rest=REST),
            _Numbering(signed=False, turn=PERIOD, rest=PERIOD),  # where packets differ in this
        )
        self._hold = 0

    def encode(self, frame: av.VideoFrame, *, frames: int) -> Iterator[Coded]:
        """Show ``frame`` for ``frames`` frames; yield what is ready, in order."""
        frame.time_base = self._context.time_base
        self._asked += frames
        last = self._asked == self._frames
        self._hold = self._fed
        for way in self._ways:
            way.same = 0
        while frames:
            if self._replay and (rest := next(filter(_Numbering.at_rest, self._ways), None)):
                if last:
                    yield from self._repeated(rest, self._frames - self._given)
                    return
                # Whole periods: the encoder's count of frames stays in step.
                skipped = frames - frames % PERIOD
                yield from self._repeated(rest, skipped)
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
            for way in self._ways:
                way.note(coded.data, self._coded, hold=self._hold)
            self._coded += 1
            self._given += 1
            yield coded

    def _repeated(self, way: _Numbering, count: int) -> Iterator[Coded]:
        self._given += count
        for data in way.following(self._coded, count):
            yield Coded(data, keyframe=False)


class _Numbering:
    """One way in which packets tell their number, and how long they have told nothing else.

    Args:
        signed: Whether x264's own bit is at their end. It may be set there anyway, and then
            does not show.
        turn: After so many packets they are the same but for their numbers.
        rest: So many must have been.
    """

    def __init__(self, *, signed: bool, turn: int, rest: int) -> None:
        self._signed = signed
        self._turn, self._rest = turn, rest
        self._latest: deque[bytes] = deque(maxlen=turn)
        #: Packets in a row that were, but for their numbers, those of a turn before.
        self.same = 0

    def at_rest(self) -> bool:
        """Return whether the packets to come are known."""
        return self.same >= self._rest

    def note(self, data: bytes, number: int, *, hold: int) -> None:
        """Take a packet of the encoder, its ``number``-th from 0, in the hold from ``hold`` on."""
        first = self._numbered(data, 0)
        in_hold = number - self._turn >= hold
        agrees = in_hold and first == self._latest[0] and data == self._numbered(data, number)
        self.same = self.same + 1 if agrees else 0
        self._latest.append(first)

    def following(self, number: int, count: int) -> Iterator[bytes]:
        """Yield ``count`` packets that the encoder would give from ``number`` on."""
        turn = tuple(self._latest)
        for at in range(count):
            yield self._numbered(turn[at % self._turn], number + at)

    def _numbered(self, data: bytes, number: int) -> bytes:
        head = int.from_bytes(data[_COUNT_BYTES]) & ~_COUNT_MASK
        head |= number << _COUNT_SHIFT & _COUNT_MASK
        rest, last = data[_COUNT_BYTES.stop : -1], data[-1]
        if self._signed:
            last = last & 0xFE | _LAST_BITS >> number % PERIOD & 1
        return b"%b%b%b%c" % (data[: _COUNT_BYTES.start], head.to_bytes(2), rest, last)
