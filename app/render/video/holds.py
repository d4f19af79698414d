"""Repetition: when x264's packets of a hold tell nothing but their number, and which follow.

Two counts of frames are in a packet: ``frame_num`` in the slice's header (ITU-T
H.264, 7.3.3; four bits), and at the very end of a CABAC slice a bit that x264 takes
from a word of 32 (its ``common/cabac.c``). It puts that bit *on* what stands there:
a packet whose last bit is set anyway does not show it, one without CABAC has none.
All else of a picture that has come to rest repeats itself, in turns of 1 to 8 packets.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

_Ending = Callable[[int], int]

#: Packets after which both counts begin again.
PERIOD: Final = 32
#: A busy picture never rests quite: x264 adds and takes back steps of one code value, in turns
#: of so many frames. The last are packets whose difference is not understood.
TURNS: Final = (*range(1, 9), PERIOD)
#: So many packets must be as those a turn before. Of 1,287 holds (noise, grain, words, real steps;
#: all qualities) 77 with four that were so changed again, 10 with six, and none with eight.
REST: Final = 12
#: Where frame_num stands: behind start code and NAL header, after 1, 00110 and 1 (first
#: macroblock 0, a P slice, parameter set 0).
_COUNT_BYTES: Final = slice(5, 7)
_COUNT_MASK, _COUNT_SHIFT = 0x01E0, 5
#: x264's word of last bits, by the number of the frame modulo 32.
_LAST_BITS: Final = 0x35A4E4F5
#: What a last bit may be, by what x264 puts on it.
_ENDINGS: Final[tuple[_Ending, ...]] = (lambda put: put, lambda _: 1, lambda _: 0)


def _put(number: int) -> int:
    return _LAST_BITS >> number % PERIOD & 1


class _Packet(NamedTuple):
    """A packet without its counts, its last bit, and the number that it has."""

    content: bytes
    last: int
    number: int

    @classmethod
    def of(cls, data: bytes, number: int) -> _Packet:
        head = int.from_bytes(data[_COUNT_BYTES]) & ~_COUNT_MASK
        content = b"%b%b%b%c" % (
            data[: _COUNT_BYTES.start],
            head.to_bytes(2),
            data[_COUNT_BYTES.stop : -1],
            data[-1] & 0xFE,
        )
        return cls(content, data[-1] & 1, number)

    def numbered(self, number: int, last: int) -> bytes:
        head = int.from_bytes(self.content[_COUNT_BYTES]) | number << _COUNT_SHIFT & _COUNT_MASK
        return b"%b%b%b%c" % (
            self.content[: _COUNT_BYTES.start],
            head.to_bytes(2),
            self.content[_COUNT_BYTES.stop : -1],
            self.content[-1] | last,
        )


class Repetition:
    """Watches the packets of an encoder, and knows those to come once they repeat themselves."""

    def __init__(self) -> None:
        self._seen: deque[_Packet] = deque(maxlen=2 * PERIOD)
        #: Turn → packets in a row that were, but for their counts, as those a turn before.
        self._same = dict.fromkeys(TURNS, 0)

    def begin(self) -> None:
        """Forget what was alike: a new hold begins."""
        self._same = dict.fromkeys(TURNS, 0)

    def note(self, data: bytes, number: int, *, hold: int) -> None:
        """Take a packet of the encoder, its ``number``-th from 0, in the hold from ``hold`` on."""
        packet = _Packet.of(data, number)
        for turn in TURNS:
            agrees = number - turn >= hold and self._seen[-turn].content == packet.content
            self._same[turn] = self._same[turn] + 1 if agrees else 0
        self._seen.append(packet)

    def turn(self) -> Turn | None:
        """Return what is repeated, None while that is not known."""
        for length in TURNS:
            if self._same[length] >= max(REST, length):
                known = list(self._seen)[-length - self._same[length] :]
                places = [known[place::length] for place in range(length)]
                endings = [_ending(packets, length) for packets in places]
                if None not in endings:
                    latest = [packets[-1] for packets in places]
                    return Turn(latest, endings)  # type: ignore[arg-type]  # none is None
        return None


def _ending(packets: Sequence[_Packet], length: int) -> _Ending | None:
    """Return what ends packets that come ``length`` apart; None while it may be one or another."""
    fit = [
        ending
        for ending in _ENDINGS
        if all(ending(_put(packet.number)) == packet.last for packet in packets)
    ]
    first = packets[0].number % length
    to_come = {_put(number) for number in range(first, PERIOD * length, length)}
    told = {tuple(ending(put) for put in sorted(to_come)) for ending in fit}
    return fit[0] if len(told) == 1 else None


class Turn:
    """Packets that come again and again, in this order, but for their counts."""

    def __init__(self, packets: Sequence[_Packet], endings: Sequence[_Ending]) -> None:
        self._by_place = {
            packet.number % len(packets): (packet, ending)
            for packet, ending in zip(packets, endings, strict=True)
        }

    @property
    def period(self) -> int:
        """Packets after which both they and their counts begin again."""
        return math.lcm(PERIOD, len(self._by_place))

    def packets(self, number: int, count: int) -> Iterator[bytes]:
        """Yield ``count`` packets that the encoder would give from ``number`` on."""
        for at in range(number, number + count):
            packet, ending = self._by_place[at % len(self._by_place)]
            yield packet.numbered(at, ending(_put(at)))
