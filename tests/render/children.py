"""Starts and watches renders in child processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.render import Limits, Progress, RenderResult, render_in_child

LIMITS = Limits(deadline_seconds=60, memory_mb=512)


def never(_: Progress | None) -> str | None:
    return None


def run(
    target: str,
    tmp_path: Path,
    *,
    limits: Limits = LIMITS,
    on_tick: Callable[[Progress | None], str | None] = never,
    tick_seconds: float = 0.05,
    **payload: Any,
) -> RenderResult:
    return render_in_child(
        {"jobId": "job-1", **payload},
        asset_dir=tmp_path / "assets",
        out_dir=tmp_path / "out",
        limits=limits,
        on_tick=on_tick,
        tick_seconds=tick_seconds,
        target=f"tests.render.targets:{target}",
    )


def gone(pid: int, *, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            if state[0] != "Z":
                time.sleep(0.01)
                continue
        return True
    return False


def written_by(path: Path) -> int:
    """Wait until ``path`` holds a process id, and return it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(path.read_text(encoding="ascii"))
        time.sleep(0.01)
    raise AssertionError(f"nothing wrote {path.name}")
