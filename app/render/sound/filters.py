"""Blocks of samples through a chain of FFmpeg's audio filters, as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from app.render.model.sound import SAMPLE_RATE


def audio_frame(block: NDArray[np.float32], *, at: int, sample_format: str = "flt") -> AudioFrame:
    """Return (n, 2) samples at 48 kHz as a frame that begins at sample ``at``.

    Args:
        block: The samples.
        at: Index of the first of them.
        sample_format: ``flt`` (channels interleaved) or ``fltp`` (one plane each).
    """
    planar = sample_format.endswith("p")
    layout = np.ascontiguousarray(block.T if planar else block.reshape(1, -1), np.float32)
    frame = AudioFrame.from_ndarray(layout, format=sample_format, layout="stereo")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = at
    frame.time_base = Fraction(1, SAMPLE_RATE)
    return frame


def filtered(
    blocks: Iterable[NDArray[np.float32]], *chain: tuple[str, str]
) -> Iterator[AudioFrame]:
    """Yield the frames that ``chain`` makes of ``blocks``.

    Args:
        blocks: (n, 2) samples at 48 kHz.
        chain: Name and arguments of each filter. Both are the program's own words,
            never a payload's.
    """
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_abuffer(
        sample_rate=SAMPLE_RATE,
        format="flt",
        layout="stereo",
        time_base=Fraction(1, SAMPLE_RATE),
    )
    sink = graph.add("abuffersink")
    graph.link_nodes(source, *(graph.add(name, arguments) for name, arguments in chain), sink)
    graph.configure()
    at = 0
    for block in blocks:
        if len(block):
            source.push(audio_frame(block, at=at))
            at += len(block)
            yield from _ready(sink)
    source.push(None)
    yield from _ready(sink)


def _ready(sink: av.filter.context.FilterContext) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame
