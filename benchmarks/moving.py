"""Measures pictures that always move: ``python -m benchmarks.moving [RESOLUTION] [STEPS]``.

x264 alone encodes the same frames, drawn beforehand: one encoder of one thread, one of two threads,
and two of one thread side by side. Each way runs in a process of its own. Processor time is that of
all threads; seconds mean something only while nothing else works on the machine.
"""

from __future__ import annotations

import itertools
import multiprocessing
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, cast

import av
from av.video.codeccontext import VideoCodecContext

from app.render.engine import render
from app.render.model.storyboard import Storyboard
from app.render.picture.compose import Compositor, step_runs
from app.render.video.encoder import CODECS, Form, configure, to_frame
from benchmarks.films.scenes import storyboard_of
from benchmarks.films.tutorial import moving_tutorial

#: Frames of a lane that are drawn before they are encoded: 93 MB at 1080p.
_BATCH: Final = 30
_STATUS: Final = Path("/proc/self/status")


def drawing(payload: dict[str, Any], assets: Path) -> dict[str, float]:
    """Return milliseconds of processor time to draw a picture, and to convert it."""
    board = storyboard_of(payload, assets)
    compositor, drawn, converted = Compositor(board), 0.0, 0.0
    first, *rest = step_runs(board, 0)
    compositor.picture(first)  # makes the stage
    for run in rest:
        began = time.thread_time()
        picture = compositor.picture(run)
        middle = time.thread_time()
        to_frame(picture)
        drawn, converted = drawn + middle - began, converted + time.thread_time() - middle
    return {"draw": 1000 * drawn / len(rest), "convert": 1000 * converted / len(rest)}


def film(payload: dict[str, Any], assets: Path, *, threads: int) -> dict[str, float]:
    """Render the film with ``threads`` segments side by side."""
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter(), time.process_time()
        render(
            payload,
            asset_dir=assets,
            out_dir=Path(out),
            threads=threads,
            on_progress=lambda _progress: None,
        )
        return {
            "seconds": time.perf_counter() - began[0],
            "processor": time.process_time() - began[1],
            "peak": _peak(),
        }


def alone(payload: dict[str, Any], assets: Path, *, lanes: int, threads: int) -> dict[str, float]:
    """Encode the frames of the film.

    Args:
        payload: The film.
        assets: Directory of its pictures.
        lanes: Encoders that work at the same time, each on a step of its own.
        threads: Threads of each encoder.
    """
    board = storyboard_of(payload, assets)
    form = Form("mp4", board.width, board.height, board.fps, board.quality)
    steps, seconds, processor = iter(range(len(board.steps))), 0.0, 0.0
    with ThreadPoolExecutor(lanes) as pool:
        while group := list(itertools.islice(steps, lanes)):
            drawn = [_drawn(board, index) for index in group]
            encoders = [_encoder(form, threads) for _ in group]
            left = True
            while left:
                batches = [list(itertools.islice(frames, _BATCH)) for frames in drawn]
                left = any(batches)
                began = time.perf_counter(), time.process_time()
                deque(pool.map(_encode, encoders, batches if left else [[None]] * len(group)))
                seconds += time.perf_counter() - began[0]
                processor += time.process_time() - began[1]
                batches.clear()  # before the next are drawn
    return {"seconds": seconds, "processor": processor}


def _drawn(board: Storyboard, index: int) -> Iterator[av.VideoFrame]:
    compositor = Compositor(board)
    for number, run in enumerate(step_runs(board, index)):
        frame = to_frame(compositor.picture(run))
        frame.pts = number
        yield frame


def _encode(encoder: VideoCodecContext, frames: Iterable[av.VideoFrame | None]) -> None:
    for frame in frames:
        encoder.encode(frame)


def _encoder(form: Form, threads: int) -> VideoCodecContext:
    """Return the film's encoder, but with threads of its own."""
    encoder = cast("VideoCodecContext", av.CodecContext.create(CODECS[form.container], "w"))
    configure(encoder, form)
    parameters = encoder.options["x264-params"].replace("threads=1", f"threads={threads}")
    encoder.options |= {"x264-params": parameters}
    encoder.open()
    return encoder


def _peak() -> float:
    """Return the most MiB that this process has held; 0 where Linux does not say.

    ``ru_maxrss`` would survive exec: it is never less than what the parent held.
    """
    if not _STATUS.exists():
        return 0.0
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


def _measured(work: Callable[..., dict[str, float]], *given: Any, **how: Any) -> dict[str, float]:
    """Call ``work`` in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, given, how)


def main(arguments: list[str]) -> int:
    """Print a row of a table for each way."""
    resolution = arguments[0] if arguments else "1920x1080"
    steps = int(arguments[1]) if len(arguments) > 1 else 4
    with tempfile.TemporaryDirectory() as directory:
        assets = Path(directory)
        payload = moving_tutorial(assets, resolution=resolution)
        del payload["previewRequest"]["steps"][steps:]
        given = payload, assets
        found = {
            "x264 alone, 1 thread": _measured(alone, *given, lanes=1, threads=1),
            "x264 alone, 2 threads": _measured(alone, *given, lanes=1, threads=2),
            "x264 alone, 2 side by side": _measured(alone, *given, lanes=2, threads=1),
            "film, 1 thread": _measured(film, *given, threads=1),
            "film, 2 threads": _measured(film, *given, threads=2),
        }
        pictures = _measured(drawing, *given)
    print("| way | seconds | processor seconds | peak MiB |\n| --- | --- | --- | --- |")
    for name, figures in found.items():
        peak = f"{figures['peak']:.0f}" if "peak" in figures else "–"
        print(f"| {name} | {figures['seconds']:.1f} | {figures['processor']:.1f} | {peak} |")
    print(
        f"\na picture: {pictures['draw']:.1f} ms to draw, {pictures['convert']:.1f} ms to convert"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
