"""Holds: frames that show the last picture again, without asking an encoder.

A *hold* is one picture for many frames. H.264 can say "as before" of every macroblock, in a P
slice of some ten to a hundred bytes. Such a packet does not depend on the picture, only on its
size and the stream's headers, so one serves all holds of a form. VP9 has a packet for it.

All that differs between two such packets of H.264 is ``frame_num``, the number of the frame
since the last IDR picture (ITU-T H.264, 7.4.3). It is counted anew here, through what the
encoder makes as well: a decoder takes a wrong number for lost frames, and shows fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import av
import cv2
import numpy as np
from av.packet import Packet

from app.render.video.encoder import Form, open_encoder, to_frame

#: Frame marker 10, profile 00, show_existing_frame 1, buffer 000 (VP9 bitstream specification,
#: 6.2): libvpx puts every frame into that buffer.
VP9_AGAIN: Final = b"\x88"
#: Numbers of frames begin anew after so many: x264 writes log2_max_frame_num_minus4 0.
_NUMBERS: Final = 16
#: Where frame_num is: behind a start code of 4 bytes, a NAL header, and the bits 1 00110 1 (first
#: macroblock 0, a P slice, parameter set 0).
_HEAD: Final = slice(5, 7)
_HEAD_MASK, _HEAD_VALUE = 0xFE00, 0x9A00
_NUMBER_MASK, _NUMBER_SHIFT = 0x01E0, 5
#: Types of NAL units (ITU-T H.264, table 7-1).
_IDR, _SEI = 5, 6
_START: Final = b"\0\0\1"
#: Frames by which a packet is tried.
_TRIED: Final = 3
#: Distance of light and dark in the picture on which it is tried, in pixels.
_WAVE: Final = 64


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
    encoder = open_encoder(form)
    grey = to_frame(np.full((form.height, form.width, 3), 128, np.uint8))
    packets = []
    for number in range(2):  # x264 skips all of a flat picture from its second frame on
        grey.pts, grey.time_base = number, encoder.time_base
        packets += [bytes(packet) for packet in encoder.encode(grey)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    found = H264Repeats(packets[-1])
    return found if _holds(found, form) else None


def _holds(found: H264Repeats, form: Form) -> bool:
    """Return whether the packet shows any picture again, tried on one that is nowhere flat.

    What a packet does to a picture does not depend on the picture. A picture whose pixels differ
    from their neighbours stays as it is only if every macroblock is copied from its own place,
    without weights or a residual. Of packets that are wrongly numbered a decoder shows fewer.
    """
    if int.from_bytes(found.skip[_HEAD]) & _HEAD_MASK != _HEAD_VALUE:
        return False
    encoder = open_encoder(form)
    rough = np.random.default_rng(0).integers(
        16, 236, (form.height // _WAVE + 2, form.width // _WAVE + 2, 3), np.uint8
    )
    smooth = cv2.resize(rough, (form.width, form.height), interpolation=cv2.INTER_CUBIC)
    picture = to_frame(smooth.astype(np.uint8))
    picture.pts, picture.time_base = 0, encoder.time_base
    first = [bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)]]
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata, decoder.thread_count = encoder.extradata, 1
    stream = [*first, *(found.again(number) for number in range(1, _TRIED))]
    shown = [frame for data in stream for frame in decoder.decode(Packet(data))]
    shown += decoder.decode(None)
    if len(first) != 1 or len(shown) != _TRIED:
        return False
    return all(
        bytes(one) == bytes(other)
        for one, other in zip(shown[0].planes, shown[-1].planes, strict=True)
    )
