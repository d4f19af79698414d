"""Measures what a hold costs: ``python -m benchmarks.holds [RESOLUTION]``.

A picture is shown for ten seconds at 30 fps, once as the renderer encodes it and once with every
frame encoded. The films are decoded: each has all its frames, and PSNR is that of the last one.
Times are processor time of all threads, and leave the drawing out. Each is measured once, after
the process knows how the form repeats a picture; that is a line of its own.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast, get_args

import av
import cv2
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from app.render.model.storyboard import Container, Quality
from app.render.picture.compose import Compositor, runs
from app.render.video.encoder import Form, open_encoder, to_frame
from app.render.video.holds import repeats
from app.render.video.segments import Coded, Segment
from benchmarks.films.scenes import storyboard_of
from benchmarks.stack import tutorial

_SECONDS, _FPS = 10, 30
#: Standard deviation of the grain, in code values.
_GRAIN: Final = 6.0
_DECODERS: Final[dict[Container, str]] = {"mp4": "h264", "webm": "vp9"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What ten seconds of one picture cost.

    Attributes:
        milliseconds: Processor time of all threads.
        kilobytes: Size of all packets.
        psnr: Peak signal-to-noise ratio of the last frame against the picture, in dB.
    """

    milliseconds: float
    kilobytes: float
    psnr: float


def pictures(resolution: str) -> dict[str, NDArray[np.uint8]]:
    """Return sRGB pictures: a step of text, and blurred colours with grain as of a camera."""
    payload: dict[str, Any] = dict(tutorial("holds", dry=False))
    payload["previewRequest"]["options"] = {"resolution": resolution, "fps": _FPS}
    with tempfile.TemporaryDirectory() as assets:
        storyboard = storyboard_of(payload, Path(assets))
    text = Compositor(storyboard).picture(runs(storyboard)[-1])
    height, width = text.shape[:2]
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (9, 16, 3), np.uint8)
    smooth = cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = random.normal(0, _GRAIN, (height, width, 1))
    return {"text": text, "grain": np.clip(smooth + grain, 0, 255).astype(np.uint8)}


def measure(picture: NDArray[np.uint8], form: Form, *, replay: bool) -> Cost:
    """Return the cost of a hold, or without ``replay`` that of encoding each of its frames.

    Raises:
        SystemExit: A decoder shows more or fewer frames than there are.
    """
    frames, frame = _SECONDS * form.fps, to_frame(picture)
    begun = time.process_time()
    packets = list(Segment(form, frames=frames, replay=replay).encode(frame, frames=frames))
    seconds = time.process_time() - begun
    last = _last(packets, form)
    error = np.square(last.astype(float) - frame.to_ndarray()).mean()
    size = sum(len(packet.data) for packet in packets)
    return Cost(seconds * 1000, size / 1000, float(10 * np.log10(255**2 / error)))


def _last(packets: list[Coded], form: Form) -> NDArray[np.uint8]:
    """Return the last frame that a decoder shows, after counting them."""
    decoder = cast("VideoCodecContext", av.CodecContext.create(_DECODERS[form.container], "r"))
    decoder.extradata, decoder.thread_count = open_encoder(form).extradata, 1
    shown, last = 0, None
    for packet in [*(Packet(coded.data) for coded in packets), None]:
        for frame in decoder.decode(packet):
            shown, last = shown + 1, frame
    if last is None or shown != len(packets):
        raise SystemExit(f"{form}: {len(packets)} frames were encoded, {shown} are shown")
    array: NDArray[np.uint8] = last.to_ndarray().astype(np.uint8)
    return array


def main(arguments: list[str]) -> int:
    """Print a row of a table for each container, quality and picture."""
    resolution = arguments[0] if arguments else "1920x1080"
    width, height = map(int, resolution.split("x"))
    for container in get_args(Container):
        for quality in get_args(Quality):
            form = Form(container, width, height, _FPS, quality)
            begun = time.process_time()
            repeats(form)
            first = (time.process_time() - begun) * 1000
            print(f"| {container} {quality} | once per process | {first:.0f} ms | | | | |")
            for name, picture in pictures(resolution).items():
                held = measure(picture, form, replay=True)
                every = measure(picture, form, replay=False)
                print(
                    f"| {container} {quality} | {name} | {held.milliseconds:.0f} ms "
                    f"| {every.milliseconds:,.0f} ms | {every.milliseconds / held.milliseconds:.0f}"
                    f" | {held.psnr - every.psnr:+.1f} dB | {held.kilobytes:,.0f} kB, "
                    f"{held.kilobytes / every.kilobytes:.2f} times |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
