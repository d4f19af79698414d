#!/bin/sh
# FFmpeg's Opus decoder drops the encoder's priming by itself, its AAC decoder does not.
#
# Guess: an encoder says by its first time stamp (-1024 for AAC, -312 for Opus) how many samples it
# put before the sound, and decoders of both codecs treat them alike: either all give them, or none.
# What happens: decoding the packets without a container, AAC gives its 1024 samples of priming. Opus
# drops its 312, because its extradata (OpusHead) states them, but the frame keeps the time stamp
# -312. Whoever cuts "all samples before time 0" by the time stamps cuts Opus twice, 6.5 ms into the
# sound; whoever cuts nothing measures and aligns AAC 21 ms late.
# Why it matters: loudness of short sounds is off by up to 1 LU when it is measured with priming
# that players skip, and sample-exact checks of a codec's round trip fail for one codec only.
#
# Versions: PyAV 18.1.0 (libavcodec 62.28.102), NumPy 2.3.5
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.3.5
"$work/venv/bin/python" - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

print("PyAV", av.__version__, "libavcodec", av.library_versions["libavcodec"])
CLICK = 24_000
sound = np.zeros((1, 2 * 48_000), np.float32)
sound[0, 2 * CLICK : 2 * CLICK + 20] = 0.8


def opened(name, mode, extradata=None):
    context = av.CodecContext.create(name, mode)
    context.sample_rate, context.layout = 48_000, "stereo"
    if mode == "w":
        context.time_base = Fraction(1, 48_000)
        context.format, context.bit_rate = ("flt" if name == "libopus" else "fltp"), 160_000
        context.flags |= av.codec.context.Flags.global_header
        context.open()
    else:
        context.extradata = extradata
    return context


found = {}
for encoder, decoder in (("aac", "aac"), ("libopus", "opus")):
    coder = opened(encoder, "w")
    frame = av.AudioFrame.from_ndarray(sound, format="flt", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    resampler = av.AudioResampler(coder.format, "stereo", 48_000, frame_size=coder.frame_size)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    packets = [packet for one in [*frames, None] for packet in coder.encode(one)]
    player = opened(decoder, "r", coder.extradata)
    out = [one for packet in [*packets, None] for one in player.decode(packet)]
    first = out[0].pts
    samples = np.concatenate([one.to_ndarray()[0] for one in out])
    assert all(one.format.is_planar for one in out)
    late = int(np.argmax(np.abs(samples))) - CLICK
    found[encoder] = (packets[0].pts, first, late)
    print(f"{encoder}: first packet at {packets[0].pts}, first frame at {first}, click late by {late}")

aac, opus = found["aac"], found["libopus"]
assert aac[:2] == (-1024, -1024) and abs(aac[2] - 1024) < 20, "AAC's priming is dropped now"
assert opus[:2] == (-312, -312) and abs(opus[2]) < 20, "Opus's priming or time stamp has changed"
print("as described")
PYTHON
