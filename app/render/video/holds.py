"""Holds: frames that show the last picture again, without asking an encoder.

A *hold* is one picture for many frames. H.264 can say "as before" of every macroblock, in a P
slice of some ten to a hundred bytes (:mod:`app.render.video.skips`). It depends only on the size
of the picture and the headers of the stream, so one serves all holds of a form. VP9 has a packet
for it.

All that differs between two such packets of H.264 is ``frame_num``, the number of the frame
since the last IDR picture (ITU-T H.264, 7.4.3). It is counted anew here, through what the
encoder makes as well: a decoder takes a wrong number for lost frames, and shows fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from app.render.video.encoder import Form, open_encoder
from app.render.video.skips import FRAME_NUM_BITS, skip_slice

#: Frame marker 10, profile 00, show_existing_frame 1, buffer 000 (VP9 bitstream specification,
#: 6.2): libvpx puts every frame into that buffer.
VP9_AGAIN: Final = b"\x88"
#: Where frame_num is: behind a start code of 4 bytes, a NAL header, and the bits 1 00110 1 (first
#: macroblock 0, a P slice, parameter set 0).
_HEAD: Final = slice(5, 7)
_NUMBERS: Final = 1 << FRAME_NUM_BITS
_NUMBER_MASK, _NUMBER_SHIFT = 0x01E0, 5
#: Types of NAL units (ITU-T H.264, table 7-1).
_IDR, _SEI = 5, 6
_START: Final = b"\0\0\1"


class Repeats(Protocol):
    """How a codec shows its last picture again."""

    def again(self, number: int) -> bytes:
        """Return a packet that shows the last picture, ``number`` frames after a keyframe."""

    def coded(self, data: bytes, number: int) -> bytes:
        """Return the encoder's packet ``data`` as the frame ``number`` frames after a keyframe."""

    def key(self, data: bytes) -> bytes:
        """Return the encoder's keyframe ``data`` in the form for the middle of a segment."""


@dataclass(frozen=True, slots=True)
class H264Repeats:
    """H.264: a P slice of skipped macroblocks alone."""

    skip: bytes

    def again(self, number: int) -> bytes:
        """Return the skip packet with its number."""
        return self.coded(self.skip, number)

    def coded(self, data: bytes, number: int) -> bytes:
        """Return a P slice of x264 with another ``frame_num``."""
        head = int.from_bytes(data[_HEAD])
        head = head & ~_NUMBER_MASK | number % _NUMBERS << _NUMBER_SHIFT
        return b"%b%b%b" % (data[: _HEAD.start], head.to_bytes(2), data[_HEAD.stop :])

    def key(self, data: bytes) -> bytes:
        """Return an IDR picture without x264's notice of its version, which is 600 bytes long."""
        at = data.index(_START)
        while data[at + 3] & 0x1F == _SEI:
            at = data.index(_START, at + 3)
        return b"\0" + data[at:]


@dataclass(frozen=True, slots=True)
class Vp9Repeats:
    """VP9: ``show_existing_frame``. Frames have no numbers."""

    def again(self, number: int) -> bytes:
        """Return the packet, which is the same for every frame."""
        del number
        return VP9_AGAIN

    def coded(self, data: bytes, number: int) -> bytes:
        """Return ``data``."""
        del number
        return data

    def key(self, data: bytes) -> bytes:
        """Return ``data``."""
        return data


@lru_cache(maxsize=16)
def repeats(form: Form) -> Repeats | None:
    """Return how films of ``form`` repeat a picture; None if every frame must be encoded."""
    if form.container == "webm":
        return Vp9Repeats()
    skip = skip_slice(open_encoder(form).extradata or b"")
    return None if skip is None else H264Repeats(skip)
