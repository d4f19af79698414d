"""Video encoders and the frames that they take: x264 for MP4, libvpx for WebM.

Both run without frames out of order and without lookahead: packets leave in
the order of their frames. Same pictures, same build, same ``threads``: same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, cast

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
)

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from numpy.typing import NDArray

    from app.render.storyboard import Quality

#: Containers that a film may be asked for.
Container = Literal["mp4", "webm"]
#: Samples a second of every film's sound.
SAMPLE_RATE: Final = 48_000
#: FFmpeg's name of each container's video encoder.
CODECS: Final[dict[Container, str]] = {"mp4": "libx264", "webm": "libvpx-vp9"}
#: x264 preset and constant rate factor. All three reach 40 dB PSNR on a real text step, with
#: no ringing to be seen at double size; they differ in speed (1 : 2 : 4) and in moving pictures.
_X264_PRESETS: Final[dict[Quality, tuple[str, int]]] = {
    "draft": ("ultrafast", 23),
    "standard": ("veryfast", 20),
    "high": ("medium", 17),
}
#: libvpx deadline, speed and constant quality.
_VP9_PRESETS: Final[dict[Quality, tuple[str, int, int]]] = {
    "draft": ("realtime", 8, 36),
    "standard": ("realtime", 6, 30),
    "high": ("good", 4, 24),
}
#: AVCOL_SPC_BT709, which PyAV has no name for.
_MATRIX_BT709: Final = 1
#: Correct to less than one code value for every sRGB colour; the default is not bit-exact
#: over CPUs.
_SCALER: Final = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
_X264_VERSION = re.compile(rb"x264 - core (\d+(?: r\d+)?)")


@dataclass(frozen=True, slots=True)
class Form:
    """What all pictures of a film have in common.

    Attributes:
        container: Decides the codec.
        width: Even, in pixels.
        height: Even, in pixels.
        fps: Frames a second.
        quality: Speed against size.
        threads: Encoder threads; part of what determines the bytes.
    """

    container: Container
    width: int
    height: int
    fps: int
    quality: Quality
    threads: int


def open_encoder(form: Form) -> VideoCodecContext:
    """Return an encoder whose first frame will be a keyframe; it depends on nothing else."""
    context = cast("VideoCodecContext", av.CodecContext.create(CODECS[form.container], "w"))
    configure(context, form)
    context.flags |= Flags.global_header
    context.open()
    return context


def configure(context: VideoCodecContext, form: Form) -> None:
    """Set all that an encoder of ``form`` is told; two that are told the same agree in headers."""
    context.width, context.height = form.width, form.height
    context.pix_fmt = "yuv420p"
    context.framerate = Fraction(form.fps)
    context.time_base = Fraction(1, form.fps)
    context.sample_aspect_ratio = Fraction(1, 1)
    context.color_range = ColorRange.MPEG
    context.colorspace = _MATRIX_BT709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    context.options = _x264_options(form) if form.container == "mp4" else _vp9_options(form)


def _x264_options(form: Form) -> dict[str, str]:
    preset, rate_factor = _X264_PRESETS[form.quality]
    x264 = {
        "bframes": 0,
        "rc-lookahead": 0,
        "sync-lookahead": 0,
        "mbtree": 0,
        "scenecut": 0,
        "ref": 1,  # with more, medium never rests: blocks of a still take turns in what they copy
        "keyint": "infinite",  # decoding starts at steps; skip packets need no refresh
        "sliced-threads": 0,
        "8x8dct": 1,  # ultrafast leaves it out and would be Baseline, not High
        "threads": form.threads,
    }
    return {
        "preset": preset,
        "crf": str(rate_factor),
        "profile": "high",
        "forced-idr": "1",
        "x264-params": ":".join(f"{key}={value}" for key, value in x264.items()),
    }


def _vp9_options(form: Form) -> dict[str, str]:
    deadline, speed, level = _VP9_PRESETS[form.quality]
    vp9 = {
        "deadline": deadline,
        "cpu-used": speed,
        "crf": level,
        "b": 0,  # constant quality
        "g": 1_000_000,  # decoding starts at steps
        "lag-in-frames": 0,
        "auto-alt-ref": 0,
        "error-resilient": 1,  # see app.render.vp9
        "frame-parallel": 1,
        "tile-columns": 2,
        "row-mt": 0,
        "threads": form.threads,
    }
    return {key: str(value) for key, value in vp9.items()}


def to_frame(picture: NDArray[np.uint8]) -> av.VideoFrame:
    """Convert sRGB of shape (height, width, 3) to limited-range BT.709 Y'CbCr 4:2:0.

    Both share the primaries, and the transfer is left as it is.
    """
    source = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame = source.reformat(
        format="yuv420p",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=_SCALER,
    )
    frame.color_primaries = ColorPrimaries.BT709
    frame.color_trc = ColorTrc.BT709
    return frame


def x264_version(packet: bytes) -> str:
    """Return the version that x264 states in an encoder's first packet, "" where there is none."""
    found = _X264_VERSION.search(packet[:4096])
    return found[1].decode() if found else ""
