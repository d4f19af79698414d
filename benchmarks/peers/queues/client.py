"""Enqueues and takes times: ``python -m benchmarks.peers.queues.client MODULE PART COUNT [IDLE]``.

Runs in the queue's own environment. ``MODULE`` has ``enqueue(payload)``; ``PART``
is ``enqueue`` (COUNT jobs, one call after the other) or ``pickup`` (COUNT jobs,
each sent when the worker has been idle for a random time between the two numbers
IDLE, in seconds). Prints JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

#: Jobs before the first that counts: connections, scripts and code are warm then.
WARM_UP = 10
#: Pause between two looks at the file of stamps; a look costs a microsecond.
LOOK_SECONDS = 0.005
#: Longest wait for a job; the first also waits for the worker's start.
JOB_SECONDS = 60.0


def payload(number: int) -> dict[str, Any]:
    """Return the job's payload."""
    job: dict[str, Any] = json.loads(os.environ["BENCH_PAYLOAD"])
    return {**job, "jobId": f"job-{number}"}


def enqueue_rate(enqueue: Any, count: int) -> float:
    """Return calls a second, without the warm-up that goes before."""
    jobs = [payload(number) for number in range(count)]
    for job in jobs[:WARM_UP]:
        enqueue(job)
    began = time.monotonic()
    for job in jobs[WARM_UP:]:
        enqueue(job)
    return (count - WARM_UP) / (time.monotonic() - began)


def pickups(enqueue: Any, count: int, idle: tuple[float, float]) -> list[float]:
    """Return milliseconds from the call that enqueues to the start of the job."""
    waits = []
    stamps = Path(os.environ["BENCH_STAMPS"])
    with stamps.open("r") as lines:
        for number in range(WARM_UP + count):
            job = payload(number)
            time.sleep(random.uniform(*idle))
            began = time.monotonic_ns()
            enqueue(job)
            line = _next_line(lines, time.monotonic() + JOB_SECONDS)
            name, started = line.split()
            if name != job["jobId"]:
                sys.exit(f"{job['jobId']} was sent and {name} was run")
            waits.append((int(started) - began) / 1e6)
    return waits[WARM_UP:]


def _next_line(lines: Any, deadline: float) -> str:
    while not (line := lines.readline()):
        if time.monotonic() > deadline:
            sys.exit(f"a job was not run within {JOB_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)
    return str(line)


def main(module: str, part: str, count: int, *idle: float) -> None:
    enqueue = importlib.import_module(module).enqueue
    if part == "enqueue":
        print(json.dumps(enqueue_rate(enqueue, count)))
    else:
        print(json.dumps(pickups(enqueue, count, (idle[0], idle[1]))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *map(float, sys.argv[4:]))
