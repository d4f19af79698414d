"""Pick-up latency of an idle worker, and dry runs through the whole pipeline."""

from __future__ import annotations

import time

from app.client import PreviewClient
from app.ledger import connect
from app.settings import Settings
from benchmarks.stack import minimal, percentile, tutorial, wait_for

#: Round trips that are taken.
PINGS = 1000
#: Jobs of which the latency is taken, one at a time.
PICKUPS = 300
#: Pause between two looks at such a job: looking must not disturb what is measured.
POLL_SECONDS = 0.02
#: Dry runs of which the throughput is taken, all queued before the worker drains them.
DRY_RUNS = 2000


def ping(settings: Settings) -> dict[str, float]:
    """Take the round trip of the cheapest command: the yardstick of this machine.

    Returns:
        Percentiles in milliseconds.
    """
    client = connect(settings)
    trips = []
    for _ in range(PINGS):
        began = time.perf_counter()
        client.ping()
        trips.append(1000 * (time.perf_counter() - began))
    return {"p50": percentile(trips, 0.50), "p99": percentile(trips, 0.99)}


def pickup(client: PreviewClient) -> dict[str, float]:
    """Submit empty dry runs to an idle worker: from admission to the end, by the server's clock.

    Returns:
        Percentiles in milliseconds.
    """
    waits = []
    for number in range(PICKUPS):
        job_id = f"pickup-{number}"
        client.submit(minimal(job_id))
        record = client.wait(job_id, poll_seconds=POLL_SECONDS)
        waits.append(1000 * ((record.finished_at or 0.0) - record.created_at))
    return {
        name: percentile(waits, share)
        for name, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    }


def drain(client: PreviewClient, *, steps: bool) -> float:
    """Submit dry runs while the workers drain them; returns jobs a second over all.

    Args:
        client: The queue's client.
        steps: Whether each has eleven steps to plan, or none.
    """
    jobs = DRY_RUNS // 10 if steps else DRY_RUNS
    done = client.queue().completed
    began = time.perf_counter()
    for number in range(jobs):
        job_id = f"drain-{steps}-{number}"
        client.submit(tutorial(job_id, dry=True) if steps else minimal(job_id))
    wait_for(lambda: client.queue().completed >= done + jobs, "the drain", seconds=300)
    return jobs / (time.perf_counter() - began)
