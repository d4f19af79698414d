"""The queues that are measured, and how each is started with a concurrency of two."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.tools import BENCH, bin_of
from benchmarks.stack import ROOT, minimal

_QUEUES = "benchmarks.peers.queues"


@dataclass(frozen=True, slots=True)
class Peer:
    """One queue.

    Attributes:
        name: What the table calls it.
        concurrency: What it calls a concurrency of two.
        worker: Command of the worker; ``{url}`` is Redis.
        client: Command of the client, without part and count.
        sent: Jobs of a round that are sent one at a time; 0: the pick-up is not measured.
        queued: Jobs to enqueue: a second or two.
        drained: Those of them that are waited for: a few seconds.
        idle: Seconds of rest before a job that is picked up, random between these two: so that
            no worker that polls is met in step, and one that polls ever more rarely is at rest.
        env: More environment.
    """

    name: str
    concurrency: str
    worker: tuple[str, ...]
    client: tuple[str, ...]
    sent: int = 100
    queued: int = 2000
    drained: int = 2000
    idle: tuple[float, float] = (0.01, 0.11)
    env: Mapping[str, str] = field(default_factory=dict)


def environment(url: str, directory: Path) -> dict[str, str]:
    """Return what every process finds in its environment.

    Ours keeps its defaults, but for the size of its queue and its log: the
    others write no line a job either.
    """
    return {
        "REDIS_URL": url,
        "PYTHONPATH": str(ROOT),
        "NODE_ENV": "production",
        "BENCH_PAYLOAD": json.dumps(minimal("")),
        "BENCH_SCHEMA": str(ROOT / "schemas" / "preview-job.schema.json"),
        "BENCH_STAMPS": str(directory / "stamps"),
        "BENCH_CONCURRENCY": "2",
        "APP_ENV": "test",
        "DATA_DIR": str(directory),
        "HEALTH_HOST": "127.0.0.1",
        "HEALTH_PORT": "0",
        "LOG_LEVEL": "warning",
        "PREVIEW_QUEUE_MAX": "1000000",
    }


def _python(
    peer: str,
    *worker: str,
    concurrency: str,
    sent: int = 100,
    queued: int = 2000,
    drained: int = 2000,
    idle: tuple[float, float] = (0.01, 0.11),
) -> Peer:
    client = (str(bin_of(peer) / "python"), "-m", f"{_QUEUES}.client", f"{_QUEUES}.on_{peer}")
    command = (str(bin_of(peer) / worker[0]), *worker[1:])
    name = {"dramatiq": "Dramatiq", "celery": "Celery", "rq": "RQ"}.get(peer, peer)
    return Peer(name, concurrency, command, client, sent, queued, drained, idle)


def _ours(name: str, concurrency: str, *, processes: int, slots: int, sent: int) -> Peer:
    return Peer(
        name=name,
        concurrency=concurrency,
        worker=(
            sys.executable,
            "-m",
            "dramatiq",
            f"{_QUEUES}.ours_worker",
            "--processes",
            str(processes),
            "--threads",
            str(slots + 1),
        ),
        client=(sys.executable, "-m", f"{_QUEUES}.client", f"{_QUEUES}.ours_client"),
        sent=sent,
        env={"PREVIEW_WORKER_CONCURRENCY": str(slots)},
    )


#: In the order of the table. One thread more than slots: cron tasks have a queue of their own.
PEERS = (
    _ours("ours", "1 process × 2 slots", processes=1, slots=2, sent=100),
    _ours("ours (2 processes)", "2 processes × 1 slot", processes=2, slots=1, sent=0),
    Peer(
        "BullMQ", "1 process, concurrency 2", ("node", str(BENCH / "node" / "worker.cjs")),
        ("node", str(BENCH / "node" / "client.cjs")), queued=4000, drained=4000,
    ),
    _python("dramatiq", "dramatiq", f"{_QUEUES}.on_dramatiq", "--processes", "1", "--threads", "2",
            concurrency="1 process × 2 threads", idle=(0.05, 0.2)),
    _python("celery", "celery", "-A", f"{_QUEUES}.on_celery", "worker", "--concurrency", "2",
            "--loglevel", "error", concurrency="2 processes (prefork)", queued=1200, drained=1200),
    _python("rq", "rq", "worker-pool", "--num-workers", "2", "--url", "{url}", "--quiet", "default",
            concurrency="2 workers, a fork a job", queued=600, drained=100),
    # It looks twice a second and starts at most max_jobs then.
    _python("arq", "arq", f"{_QUEUES}.on_arq.WorkerSettings",
            concurrency="1 process, max_jobs 2", sent=40, queued=600, drained=20, idle=(0.0, 0.5)),
)  # fmt: skip
