"""Ours, as the worker's child does it. ``python -m benchmarks.films.ours ORDER OUT``.

The order is JSON: ``payload``, ``assets``, ``threads``, ``floor``, and ``cache`` or null. The time
is that of a process that is already up, as a worker keeps one.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any, cast

import av
from av.video.codeccontext import VideoCodecContext

from app.render.engine import render
from app.render.model.limits import StepCachePlace
from app.render.picture.compose import Compositor, runs
from app.render.video.encoder import CODECS, Form, configure, to_frame
from benchmarks.films.scenes import storyboard_of

#: Most that the step cache may hold in a benchmark, in MiB.
CACHE_MB = 512
#: Frames that are drawn before they are encoded for the floor: 93 MB at 1080p.
BATCH = 30


def main() -> None:
    """Render and print seconds, peak memory and the length of the film."""
    order, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    assets = Path(order["assets"])
    if order["floor"]:
        told = _floor(order["payload"], assets, threads=order["threads"])
    else:
        place = StepCachePlace(Path(order["cache"]), CACHE_MB) if order["cache"] else None
        began = time.perf_counter()
        result = render(
            order["payload"],
            asset_dir=assets,
            out_dir=out,
            threads=order["threads"],
            on_progress=lambda _progress: None,
            step_cache=place,
        )
        told = {"seconds": time.perf_counter() - began, "film": result.seconds}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({**told, "peak": peak}) + "\n")


def _floor(payload: dict[str, Any], assets: Path, *, threads: int) -> dict[str, float]:
    """Return the seconds that one x264 of ``threads`` threads needs for the frames that differ.

    Its threads work on while the next frame is drawn, and that time would not be seen. So the
    frames are drawn in batches, and x264 gets each of them at once. What it still has to do when
    a batch has been taken is one frame a thread but one, of thirty.
    """
    board = storyboard_of(payload, assets)
    form = Form("mp4", board.width, board.height, board.fps, board.quality)
    compositor, seconds = Compositor(board), 0.0
    for _, group in itertools.groupby(runs(board), lambda run: run.step_index):
        encoder, numbers = _encoder(form, threads), itertools.count()
        drawn = (to_frame(compositor.picture(run)) for run in group)
        while batch := list(itertools.islice(drawn, BATCH)):
            began = time.perf_counter()
            for frame in batch:
                frame.pts = next(numbers)
                encoder.encode(frame)
            seconds += time.perf_counter() - began
            batch.clear()  # before the next is drawn
        began = time.perf_counter()
        encoder.encode(None)
        seconds += time.perf_counter() - began
    return {"seconds": seconds, "film": board.seconds}


def _encoder(form: Form, threads: int) -> VideoCodecContext:
    """Return the film's encoder, but with threads of its own."""
    encoder = cast("VideoCodecContext", av.CodecContext.create(CODECS[form.container], "w"))
    configure(encoder, form)
    parameters = encoder.options["x264-params"].replace("threads=1", f"threads={threads}")
    encoder.options |= {"x264-params": parameters}
    encoder.open()
    return encoder


if __name__ == "__main__":
    main()
