"""The film's sound in its own codec: encoded once, and decoded again to hear what became of it."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np

from app.render.encoder import SAMPLE_RATE
from app.render.filters import audio_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from av.packet import Packet
    from numpy.typing import NDArray

    from app.render.audiocodec import AudioCodec


def configure(context: AudioCodecContext, codec: AudioCodec) -> None:
    """Set up an encoder's context, or that of a stream that will carry its packets."""
    context.sample_rate, context.layout = SAMPLE_RATE, "stereo"
    context.format = codec.sample_format
    context.bit_rate = codec.bit_rate
    context.time_base = Fraction(1, SAMPLE_RATE)


def encoded(blocks: Iterable[NDArray[np.float32]], *, codec: AudioCodec) -> Iterator[Packet[Any]]:
    """Yield the packets of (n, 2) float32 samples in −1…1 at 48 kHz, in the order of time."""
    encoder = _encoder(codec)
    at = 0
    for block in blocks:
        yield from encoder.encode(audio_frame(block, at=at, sample_format=codec.sample_format))
        at += len(block)
    yield from encoder.encode(None)


def decoded(packets: Iterable[Packet[Any]], *, codec: AudioCodec) -> Iterator[NDArray[np.float32]]:
    """Yield (n, 2) samples at 48 kHz as a player has them, about half a second at a time.

    They begin with the encoder's priming, about 20 ms that players skip.

    Args:
        packets: As of :func:`encoded`.
        codec: The same.
    """
    decoder = cast("AudioCodecContext", av.CodecContext.create(codec.decoder, "r"))
    decoder.sample_rate, decoder.layout = SAMPLE_RATE, "stereo"
    decoder.extradata = _encoder(codec).extradata
    waiting: list[NDArray[np.float32]] = []
    for packet in chain(packets, [None]):
        waiting.extend(map(_samples, decoder.decode(packet)))
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
