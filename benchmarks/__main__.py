"""Runs all benchmarks and prints one table: ``python -m benchmarks``."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping

from app import __version__
from benchmarks import stack
from benchmarks.pipeline import PICKUPS, drain, pickup, ping
from benchmarks.posts import CONNECTIONS, posts
from benchmarks.render import render_speed


def row(name: str, figures: Mapping[str, float]) -> None:
    """Print one line of the table."""
    told = "  ".join(f"{key} {value:,.2f}" for key, value in figures.items())
    print(f"{name:<44} {told}", flush=True)


def main() -> int:
    """Run everything, the queue first, while the machine is quiet."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"Mobius Preview Worker {__version__} on {platform.system()} {machine}")
    print(f"load before: {os.getloadavg()[0]:.2f}\n")
    with stack.server() as settings:
        with stack.worker(settings) as client:
            row("PING, one client, ms", ping(settings))
            row(
                f"empty job on an idle worker, admission to end, {PICKUPS} jobs, ms", pickup(client)
            )
        with stack.worker(settings, processes=2) as client:
            row("empty jobs, 2 processes", {"per second": drain(client, steps=False)})
            row("dry runs, 11 steps, 2 processes", {"per second": drain(client, steps=True)})
        with stack.api(settings) as port:
            row(f"POST, {CONNECTIONS} connections, 2 processes", posts(port))
    for resolution in ("1280x720", "1920x1080"):
        row(f"render, 11 text steps, 66 s, {resolution}p30", render_speed(resolution))
    return 0


if __name__ == "__main__":
    sys.exit(main())
