#!/bin/sh
# FFmpeg refuses a whole chained Ogg file when a later link has another number of channels.
#
# Guess: a chained Ogg file (RFC 3533, section 4) is a sequence of whole files. FFmpeg plays the
# first link at least, and an error comes where the second begins.
# What happens: opening the file fails at once with AVERROR_PATCHWELCOME ("Not yet implemented in
# FFmpeg"), before any sound is decoded. The same bytes, cut where the second link begins, are two
# files that both open and play whole.
# Why it matters: recordings of radio streams and of tools that append are chains; "cannot be
# opened" reads as if the file were broken.
#
# Versions: PyAV 18.1.0 (libavformat 62.12.102), NumPy 2.3.5
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.3.5
"$work/venv/bin/python" - <<'PYTHON'
import io
from fractions import Fraction

import av
import numpy as np

print("PyAV", av.__version__, "libavformat", av.library_versions["libavformat"])


def opus(layout):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg") as file:
        stream = file.add_stream("libopus", rate=48_000)
        stream.codec_context.layout = layout
        channels = len(av.AudioLayout(layout).channels)
        tone = np.sin(np.arange(48_000 * channels) / 20, dtype=np.float32)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def seconds(content):
    with av.open(io.BytesIO(content)) as file:
        return sum(frame.samples for frame in file.decode(audio=0)) / 48_000


mono, stereo = opus("mono"), opus("stereo")
print("alone:", seconds(mono), "s and", seconds(stereo), "s")
print("chained with its like:", seconds(mono + mono), "s")
try:
    outcome = f"{seconds(mono + stereo)} s"
except av.FFmpegError as error:
    outcome = type(error).__name__
print("mono, then stereo:", outcome)
assert outcome == "PatchWelcomeError", "FFmpeg opens such a chain now"
print("as described")
PYTHON
