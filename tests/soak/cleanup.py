"""The last sweep, when everything has expired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dramatiq import Worker

from app.actors.assembly import SWEEP_SUFFIX, build_worker
from app.actors.sweep import SweepOrphans
from app.metrics import Metrics
from app.settings import Settings
from app.temporary import remove_leftovers
from tests.conftest import wait_until

#: No time at all, in hours or days.
AT_ONCE: Final = 1e-9
#: Longest sweep.
SWEEP_SECONDS: Final = 120.0


def sweep_everything(settings: Settings) -> None:
    """Sweep all that has ended with the product's own actors, in a worker of this process."""
    hasty = settings.model_copy(
        update={
            "preview_result_ttl_hours": AT_ONCE,
            "preview_record_ttl_days": AT_ONCE,
            "preview_dlq_ttl_days": AT_ONCE,
        }
    )
    parts = build_worker(hasty, Metrics(track="stable"))
    orphans = parts.broker.actors["sweep_orphans"]
    assert isinstance(orphans.fn, SweepOrphans)
    orphans.fn = SweepOrphans(
        orphans.fn.ledger, orphans.fn.store, orphans.fn.shutdown, orphan_seconds=0
    )
    queue = hasty.preview_queue_name + SWEEP_SUFFIX
    worker = Worker(parts.broker, queues={queue}, worker_threads=2, worker_timeout=200)
    worker.start()
    try:
        # The files go in the first sweep, their records in the second.
        for actor in ("sweep_results", "sweep_results", "sweep_orphans"):
            parts.broker.actors[actor].send()
            wait_until(
                lambda: parts.broker.queues[queue].stats().depth == 0,
                f"{actor} has ended",
                seconds=SWEEP_SECONDS,
            )
    finally:
        worker.stop()
    remove_leftovers(hasty.work_root, prefix="")


def unswept(settings: Settings) -> Iterator[str]:
    """Yield the files and directories that the last sweep has left."""
    for root in (settings.data_dir / "artifacts", settings.work_root):
        for path in root.rglob("*"):
            yield f"{path.relative_to(settings.data_dir)} is left"
