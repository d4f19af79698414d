"""Render speed as a multiple of real time, and the peak memory of the child."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.stack import tutorial


def _measure(payload: dict[str, Any], results: Any) -> None:
    from app.render.engine import render  # noqa: PLC0415 - the encoder loads in the child only

    with tempfile.TemporaryDirectory() as directory:
        began = time.perf_counter()
        result = render(
            payload,
            asset_dir=Path(directory),
            out_dir=Path(directory),
            threads=1,
            on_progress=lambda _progress: None,
        )
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    results.put((seconds, result.seconds, peak / (1024 if sys.platform == "linux" else 1024**2)))


def render_speed(resolution: str) -> dict[str, float]:
    """Render eleven text steps of 66 s in a process of its own.

    Returns:
        ``seconds`` it took, ``x real time``, and ``peak MiB`` of that process.
    """
    payload: dict[str, Any] = tutorial("render", dry=False)
    payload["previewRequest"]["options"] = {"resolution": resolution, "fps": 30}
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    child = context.Process(target=_measure, args=(payload, results))
    child.start()
    seconds, film, peak = results.get(timeout=600)
    child.join()
    return {"seconds": seconds, "x real time": film / seconds, "peak MiB": peak}
