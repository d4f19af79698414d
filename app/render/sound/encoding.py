"""The film's sound in its own codec: encoded once, and decoded again to hear what became of it.

A film may be silent for long, or as a whole. Once AAC's encoder has given packets of silence
that are alike, it gives the same until a sound comes, and goes on as if there had been fewer:
all that it keeps of former sound (bit reservoir, thresholds, scale) has then come to its limits.
So the rest is repeated instead of encoded. Opus keeps count, and is always asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import Any, Final, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.packet import Packet
from numpy.typing import NDArray

from app.render.model.sound import SAMPLE_RATE
from app.render.sound.codec import AudioCodec
from app.render.sound.filters import audio_frame

#: Time base of all packets, in seconds.
_TICK: Final = Fraction(1, SAMPLE_RATE)
#: FFmpeg's names of encoders that silence brings to rest.
_RESTING: Final = frozenset({"aac"})
#: So many packets of silence must be as the one before. In twelve random films with some 40
#: pauses, one was enough.
_REST: Final = 16


def configure(context: AudioCodecContext, codec: AudioCodec) -> None:
    """Set up an encoder's context, or that of a stream that will carry its packets."""
    context.sample_rate, context.layout = SAMPLE_RATE, "stereo"
    context.format = codec.sample_format
    context.bit_rate = codec.bit_rate
    context.time_base = _TICK


def encoded(
    blocks: Iterable[NDArray[np.float32]], *, codec: AudioCodec, replay: bool = True
) -> Iterator[Packet[Any]]:
    """Yield the packets of (n, 2) float32 samples in −1…1 at 48 kHz, in the order of time.

    Args:
        blocks: The samples.
        codec: How to encode them.
        replay: Whether long silence is repeated; without, every block is encoded, to the
            same bytes.
    """
    coder = _Coder(codec, replay=replay and codec.encoder in _RESTING)
    for block in blocks:
        yield from coder.encode(block)
    yield from coder.finish()


class _Coder:
    """Encodes samples; repeats packets of silence if it may ``replay``."""

    def __init__(self, codec: AudioCodec, *, replay: bool) -> None:
        self._codec = codec
        self._replay = replay
        self._encoder = _encoder(codec)
        #: Samples that the encoder got, and that it was spared.
        self._fed = self._spared = 0
        #: Packets of silence in a row that were alike, the last of them, and when it ends.
        self._alike, self._latest, self._end = 0, b"", 0

    def encode(self, block: NDArray[np.float32]) -> Iterator[Packet[Any]]:
        """Yield what is ready after ``block``."""
        silent = self._replay and not block.any()
        if not silent:
            self._alike = 0
        elif self._alike >= _REST:
            spared = len(block) - len(block) % self._encoder.frame_size
            yield from self._repeated(spared)
            block = block[spared:]
        if not len(block):
            return
        frame = audio_frame(block, at=self._fed, sample_format=self._codec.sample_format)
        self._fed += len(block)
        for packet in self._encoder.encode(frame):
            if silent:
                self._compare(packet)
            yield self._shifted(packet)

    def finish(self) -> Iterator[Packet[Any]]:
        """Yield what is left."""
        yield from map(self._shifted, self._encoder.encode(None))

    def _repeated(self, samples: int) -> Iterator[Packet[Any]]:
        size = self._encoder.frame_size
        for at in range(self._end, self._end + samples, size):
            packet: Packet[Any] = Packet(self._latest)
            packet.pts = packet.dts = at
            packet.duration = size
            packet.time_base = _TICK
            packet.is_keyframe = True
            yield packet
        self._end += samples
        self._spared += samples

    def _compare(self, packet: Packet[Any]) -> None:
        data = bytes(packet)
        self._alike = self._alike + 1 if data == self._latest else 0
        self._latest = data

    def _shifted(self, packet: Packet[Any]) -> Packet[Any]:
        """Return ``packet`` at its time in the film."""
        packet.pts = packet.dts = (packet.pts or 0) + self._spared
        self._end = packet.pts + (packet.duration or 0)
        return packet


def decoded(packets: Iterable[Packet[Any]], *, codec: AudioCodec) -> Iterator[NDArray[np.float32]]:
    """Yield (n, 2) samples at 48 kHz as a player has them, about half a second at a time.

    The encoder's priming, which players skip, is left out.

    Args:
        packets: What :func:`encoded` gave.
        codec: The same.
    """
    decoder = cast("AudioCodecContext", av.CodecContext.create(codec.decoder, "r"))
    decoder.sample_rate, decoder.layout = SAMPLE_RATE, "stereo"
    decoder.extradata = _encoder(codec).extradata
    waiting: list[NDArray[np.float32]] = []
    priming = codec.priming
    for packet in chain(packets, [None]):
        for frame in decoder.decode(packet):
            waiting.append(_samples(frame)[priming:])
            priming = max(priming - frame.samples, 0)
        if sum(map(len, waiting)) >= SAMPLE_RATE // 2:  # handling costs by the block
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _encoder(codec: AudioCodec) -> AudioCodecContext:
    encoder = cast("AudioCodecContext", av.CodecContext.create(codec.encoder, "w"))
    configure(encoder, codec)
    encoder.options = dict(codec.options)
    # As containers ask for: the decoder's configuration stands before the packets, not in them.
    encoder.flags |= av.codec.context.Flags.global_header
    encoder.open()
    return encoder


def _samples(frame: AudioFrame) -> NDArray[np.float32]:
    samples = frame.to_ndarray()
    interleaved = samples.T if frame.format.is_planar else samples.reshape(-1, 2)
    return np.ascontiguousarray(interleaved, np.float32)
