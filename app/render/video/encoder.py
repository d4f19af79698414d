"""Video encoders and the frames that they take: x264 for MP4, libvpx for WebM.

Both run without frames out of order and without lookahead: packets leave in
the order of their frames. Each uses one thread: segments are encoded side by side, which takes
an eighth less processor time than the threads of x264, and the bytes do not depend on the number of
cores. Same pictures, same build: same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.plane import VideoPlane
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
)
from numpy.typing import NDArray

from app.render.model.request import Options
from app.render.model.storyboard import Container, Quality

#: FFmpeg's name of each container's video encoder.
CODECS: Final[dict[Container, str]] = {"mp4": "libx264", "webm": "libvpx-vp9"}
#: x264 preset and constant rate factor. All three reach 40 dB PSNR on real text steps (standard:
#: 48), with no ringing to be seen at double size; they differ in speed (1 : 2 : 4) and in moving
#: pictures (standard: 42 dB on grain).
_X264_PRESETS: Final[dict[Quality, tuple[str, int]]] = {
    "draft": ("ultrafast", 23),
    "standard": ("veryfast", 22),
    "high": ("medium", 17),
}
#: Factor by which x264's quantiser step is smaller in the first picture if that is held, and what
#: full detail adds. One frame is then as good as what x264 makes of photographs and grain in two
#: seconds, in fewer bytes. Text at standard and high is up to 3 dB worse where it has more than
#: 52 dB, which nobody sees: the better keyframe would make films of text larger by a tenth.
_HELD_RATIOS: Final[dict[Quality, tuple[float, float]]] = {
    "draft": (2.8, 1.0),
    "standard": (2.0, 1.8),
    "high": (2.0, 1.8),
}
#: Side of the squares of which detail is asked, and the variance from which on they have some.
_SQUARE, _VARIANCE = 16, 4.0
#: libvpx deadline, speed and constant quality.
_VP9_PRESETS: Final[dict[Quality, tuple[str, int, int]]] = {
    "draft": ("realtime", 8, 36),
    "standard": ("realtime", 6, 30),
    "high": ("good", 4, 24),
}
#: Rows of a picture that are converted at once. Even.
_BAND: Final = 256
#: AVCOL_SPC_BT709, which PyAV has no name for.
_MATRIX_BT709: Final = 1
_X264_VERSION = re.compile(rb"x264 - core (\d+(?: r\d+)?)")


@dataclass(frozen=True, slots=True, repr=False)
class Form:
    """What all pictures of a film have in common.

    Attributes:
        container: Decides the codec.
        width: Even, in pixels.
        height: Even, in pixels.
        fps: Frames a second.
        quality: Speed against size.
    """

    container: Container
    width: int
    height: int
    fps: int
    quality: Quality

    def __repr__(self) -> str:
        return (
            f"<Form {self.container} {self.width}x{self.height} at {self.fps} fps, {self.quality}>"
        )

    @classmethod
    def of(cls, options: Options) -> Form:
        """Return the form of a film with ``options``."""
        return cls(
            container=options.container,
            width=options.width,
            height=options.height,
            fps=options.fps,
            quality=options.quality,
        )


def open_encoder(form: Form, *, held: av.VideoFrame | None = None) -> VideoCodecContext:
    """Return an encoder whose first frame will be a keyframe; it depends on nothing else.

    Args:
        form: What the film's pictures have in common.
        held: The first picture if it will be held, so that no later frame refines it.
    """
    context = cast("VideoCodecContext", av.CodecContext.create(CODECS[form.container], "w"))
    configure(context, form, held=held)
    context.flags |= Flags.global_header
    context.open()
    return context


def configure(context: VideoCodecContext, form: Form, *, held: av.VideoFrame | None = None) -> None:
    """Set all options of an encoder. Encoders of one form write equal headers."""
    context.width, context.height = form.width, form.height
    context.pix_fmt = "yuv420p"
    context.framerate = Fraction(form.fps)
    context.time_base = Fraction(1, form.fps)
    context.sample_aspect_ratio = Fraction(1, 1)
    context.color_range = ColorRange.MPEG
    context.colorspace = _MATRIX_BT709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    if form.container == "webm":
        context.options = _vp9_options(form)
        return
    options = _x264_options(form)
    if held is not None:  # no part of the headers, which all encoders of a film share
        flat, detailed = _HELD_RATIOS[form.quality]
        options["x264-params"] += f":ipratio={flat + detailed * _detail(held):.2f}"
    context.options = options


def _detail(frame: av.VideoFrame) -> float:
    """Return how much of a picture has detail, from 0 (flat) to 1."""
    luma = _pixels(frame.planes[0]).astype(np.float32)
    size = (max(1, frame.width // _SQUARE), max(1, frame.height // _SQUARE))
    mean, square = (
        cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (luma, luma**2)
    )
    return float((square - mean**2 > _VARIANCE).mean())


def _x264_options(form: Form) -> dict[str, str]:
    preset, rate_factor = _X264_PRESETS[form.quality]
    x264 = {
        "bframes": 0,
        "rc-lookahead": 0,
        "sync-lookahead": 0,
        "mbtree": 0,
        "scenecut": 0,
        "ref": 1,  # of a hold, every frame refers to the one before
        "keyint": "infinite",  # decoding starts at steps and in holds
        "sliced-threads": 0,
        # veryfast also tries 8x8 parts of a macroblock's motion: a third of its time, in pictures
        # that move, for no bytes.
        **({"partitions": "i8x8,i4x4"} if form.quality == "standard" else {}),
        "8x8dct": 1,  # ultrafast leaves it out and would be Baseline, not High
        "threads": 1,
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
        "error-resilient": 1,  # a repeated frame leaves the entropy coder as it was
        "frame-parallel": 1,
        "tile-columns": 2,
        "row-mt": 0,
        "threads": 1,
    }
    return {key: str(value) for key, value in vp9.items()}


def to_frame(picture: NDArray[np.uint8]) -> av.VideoFrame:
    """Convert sRGB of shape (height, width, 3) to limited-range BT.709 Y'CbCr 4:2:0.

    Both share the primaries, and the transfer is left as it is. OpenCV counts with ten bits
    behind the point: within 0.7 of a code value of the formula, at two thirds of swscale's time.
    """
    height, width = picture.shape[:2]
    frame = av.VideoFrame(width, height, "yuv420p")
    planes = tuple(map(_pixels, frame.planes))
    full = np.empty((min(_BAND, height), width, 3), np.uint8)
    for top in range(0, height, _BAND):  # never needs twice the memory of the picture
        band = picture[top : top + _BAND]
        rows, half_rows = len(band), len(band) // 2
        half = cv2.resize(band, (width // 2, half_rows), interpolation=cv2.INTER_AREA)
        quarter = cv2.transform(half, _TO_BT709)
        cv2.transform(band, _TO_BT709, dst=full[:rows])
        cv2.extractChannel(full[:rows], 0, dst=planes[0][top : top + rows])
        for channel in (1, 2):
            place = planes[channel][top // 2 : top // 2 + half_rows]
            cv2.extractChannel(quarter, channel, dst=place)
    frame.colorspace = Colorspace.ITU709
    frame.color_range = ColorRange.MPEG
    frame.color_primaries = ColorPrimaries.BT709
    frame.color_trc = ColorTrc.BT709
    return frame


def _pixels(plane: VideoPlane) -> NDArray[np.uint8]:
    """Return the memory of a plane as an array of shape (height, width)."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]  # a plane is a buffer
    pixels: NDArray[np.uint8] = rows[: plane.height, : plane.width]
    return pixels


def _to_bt709() -> NDArray[np.float32]:
    """Return the matrix from 8-bit sRGB and 1 to limited-range Y'CbCr (ITU-R BT.709-6, 3 and 4)."""
    luma = np.array([0.2126, 0.7152, 0.0722])
    blue, red = np.array([0, 0, 1]) - luma, np.array([1, 0, 0]) - luma
    rows = np.stack((219 * luma, 224 * blue / 1.8556, 224 * red / 1.5748)) / 255
    return np.column_stack((rows, (16, 128, 128))).astype(np.float32)


_TO_BT709: Final = _to_bt709()


def x264_version(packet: bytes) -> str:
    """Return the version that x264 states in an encoder's first packet, "" where there is none."""
    found = _X264_VERSION.search(packet[:4096])
    return found[1].decode() if found else ""
