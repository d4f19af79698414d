from __future__ import annotations

import pytest

from app.render.video.holds import PERIOD, REST, Repetition

#: Start code, NAL header, and a slice's header whose frame_num is in the middle of two bytes.
HEAD = b"\0\0\0\1\x41"
#: x264's word of last bits, as its own source has it.
WORD = 0x35A4E4F5


def packet(number: int, content: bytes, *, last: int | None = None) -> bytes:
    """A packet as x264 makes it: its number, ``content``, and x264's bit put on its end."""
    count = (0x9A00 | (number % 16) << 5).to_bytes(2)
    end = content[-1] | (WORD >> number % PERIOD & 1) if last is None else content[-1] & 0xFE | last
    return HEAD + count + content[:-1] + bytes([end])


def first_known(packets: list[bytes], *, hold: int = 0) -> int | None:
    """The packet before which those to come are known; they are held against the real ones."""
    repetition = Repetition()
    for number, data in enumerate(packets):
        if number == hold:
            repetition.begin()
        turn = repetition.turn() if number > hold else None
        if turn is not None:
            assert list(turn.packets(number, len(packets) - number)) == packets[number:]
            return number
        repetition.note(data, number, hold=hold)
    return None


@pytest.mark.parametrize("contents", [*range(1, 9), PERIOD])
def test_packets_that_come_in_turns_are_foretold(contents: int) -> None:
    packets = [packet(n, bytes([n % contents, 0x10])) for n in range(200)]
    known = first_known(packets)
    assert known is not None
    assert max(REST, contents) + contents <= known <= 2 * PERIOD + REST


def test_a_last_bit_that_is_set_anyway_is_told_from_one_that_is_not() -> None:
    shown, hidden = bytes([7, 0x10]), bytes([9, 0x11])
    packets = [packet(n, hidden if n % 2 else shown) for n in range(200)]
    assert first_known(packets) is not None
    assert first_known([packet(n, shown if n % 2 else hidden) for n in range(200)]) is not None


@pytest.mark.parametrize("last", [0, 1])
def test_packets_without_such_a_bit_are_foretold(last: int) -> None:
    assert first_known([packet(n, b"\x07\x10", last=last) for n in range(99)]) is not None


def test_packets_that_go_on_changing_are_not_foretold() -> None:
    assert first_known([packet(n, bytes([n % 251, 0x10])) for n in range(200)]) is None


def test_what_was_before_a_hold_does_not_count() -> None:
    packets = [packet(n, b"\x07\x10") for n in range(100)]
    alike = first_known(packets)
    assert alike is not None
    assert first_known(packets, hold=alike - 2) == 2 * alike - 2
