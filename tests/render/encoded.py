"""Films from given pictures, for tests of the encoders and the muxer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.render.model.storyboard import Container, Quality
from app.render.sound.codec import CODECS
from app.render.sound.encoding import encoded
from app.render.video.encoder import Form, to_frame
from app.render.video.mux import FilmWriter
from app.render.video.segments import Coded, Segment

#: A picture, the number of frames that show it, and whether it begins a step.
Shown = tuple[NDArray[np.uint8], int, bool]
#: Corners of the sRGB cube, greys, and colours of real tutorials.
COLOURS = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255),
    (0, 0, 0), (255, 255, 255), (128, 128, 128), (15, 23, 42), (56, 189, 248), (248, 113, 113),
]  # fmt: skip


def silence(seconds: float) -> Iterator[NDArray[np.float32]]:
    yield np.zeros((round(seconds * 48_000), 2), np.float32)


def tone(seconds: float) -> Iterator[NDArray[np.float32]]:
    time = np.arange(round(seconds * 48_000)) / 48_000
    wave = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    for at in range(0, len(wave), 48_000):
        yield np.stack([wave[at : at + 48_000]] * 2, axis=1)


def plain(colour: tuple[int, int, int], *, width: int = 320, height: int = 180) -> Any:
    return np.broadcast_to(np.array(colour, np.uint8), (height, width, 3)).copy()


def busy(seed: int, *, width: int = 320, height: int = 180) -> NDArray[np.uint8]:
    """Draw soft noise with sharp words, on which an encoder takes many frames to converge."""
    noise = np.random.default_rng(seed).integers(
        0, 256, (height // 20 + 1, width // 20 + 1, 3), np.uint8
    )
    image = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for line in range(12):
        draw.text((width // 10, height * line // 14), f"Take {line} cards and pass them on.")
    return np.asarray(image)


def steps_of(shown: list[Shown]) -> Iterator[list[Shown]]:
    step: list[Shown] = []
    for run in shown:
        if run[2] and step:
            yield step
            step = []
        step.append(run)
    yield step


def coded(step: list[Shown], form: Form, *, replay: bool = True) -> Iterator[Coded]:
    segment = Segment(form, frames=sum(frames for _, frames, _ in step), replay=replay)
    for picture, frames, _ in step:
        yield from segment.encode(to_frame(picture), frames=frames)


def film(
    path: Path,
    shown: list[Shown],
    *,
    container: Container = "mp4",
    fps: int = 30,
    quality: Quality = "draft",
    sound: Iterator[NDArray[np.float32]] | None = None,
    replay: bool = True,
) -> Path:
    height, width, _ = shown[0][0].shape
    seconds = sum(frames for _, frames, _ in shown) / fps
    form = Form(container, width, height, fps, quality)
    packets = encoded(sound or silence(seconds), codec=CODECS[container])
    with FilmWriter(path, form, sound=packets) as writer:
        for step in steps_of(shown):
            for frame in coded(step, form, replay=replay):
                writer.write(frame)
    return path


def decoded_rgb(frame: av.VideoFrame) -> NDArray[np.float64]:
    """Return the middle of a frame as sRGB, decoded as BT.709 in limited range (ITU-R BT.709-6)."""
    planes = frame.to_ndarray().astype(float)
    luma = (planes[frame.height // 2, frame.width // 2] - 16) / 219
    chroma = planes[frame.height :].reshape(2, -1)
    blue, red = (chroma[:, chroma.shape[1] // 2] - 128) / 224
    rgb = [luma + 1.5748 * red, luma - 0.18732 * blue - 0.46812 * red, luma + 1.8556 * blue]
    decoded: NDArray[np.float64] = np.clip(np.array(rgb), 0, 1) * 255
    return decoded
