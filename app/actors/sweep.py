"""The cron tasks that delete expired results and orphaned files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from dramatiq.middleware import CurrentMessage

from app.broker import ClaimedMessage, claimed
from app.ledger import Ledger, Progress, Record, Retention
from app.logs import get_logger
from app.metrics import Metrics
from app.middleware import Shutdown
from app.storage import ArtifactStore, attempt_prefix

log = get_logger(__name__)

#: Age in seconds at which files without a record are deleted: longer than any attempt.
ORPHAN_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class SweepResults:
    """Deletes the files of expired results, and old records.

    A job is marked as expired before its first file is deleted, and stays on the list until the
    last one is gone, so the next run completes a sweep that was interrupted.

    Attributes:
        ledger: The ledger of the preview queue.
        store: The artifact store.
        retention: Retention periods.
        metrics: Counts swept results.
        shutdown: Says when to leave the rest to the next run.
    """

    ledger: Ledger
    store: ArtifactStore
    retention: Retention
    metrics: Metrics
    shutdown: Shutdown

    def __call__(self) -> None:
        """Sweep until nothing is left.

        Raises:
            StorageUnavailable: Files could not be deleted. The next run tries again.
        """
        job = claimed(CurrentMessage.get_current_message())
        while True:
            swept = self.ledger.archive.sweep(self.retention)
            for job_id in swept.expired:
                self.store.delete_prefix(job_id)
                self.ledger.archive.results_deleted(job_id)
                self.metrics.swept.inc()
                log.info("result.swept", jobId=job_id)
                if not goes_on(job, self.shutdown):
                    return
            for job_id in swept.dropped:
                log.warning("dead-letter.dropped", jobId=job_id)
            if not swept.more or not goes_on(job, self.shutdown):
                return


@dataclass(frozen=True, slots=True)
class SweepOrphans:
    """Deletes the files of failed attempts whose worker died before it could delete them.

    Attributes:
        ledger: The ledger of the preview queue.
        store: The artifact store.
        shutdown: Says when to leave the rest to the next run.
        orphan_seconds: Age at which an attempt's files may be orphans.
    """

    ledger: Ledger
    store: ArtifactStore
    shutdown: Shutdown
    orphan_seconds: float = ORPHAN_SECONDS

    def __call__(self) -> None:
        """Sweep the whole store.

        Raises:
            StorageUnavailable: Files could not be listed or deleted. The next run tries again.
        """
        job = claimed(CurrentMessage.get_current_message())
        newest = int((time.time() - self.orphan_seconds) * 1_000_000)  # fences are times
        for job_id, fences in self.store.attempts():
            old = [fence for fence in fences if fence < newest]
            record = self.ledger.get(job_id) if old else None
            for fence in old:
                if not _in_use(record, job_id, fence):
                    self.store.delete_prefix(attempt_prefix(job_id, fence))
                    log.info("orphan.swept", jobId=job_id, fence=fence)
            if not goes_on(job, self.shutdown):
                return


def _in_use(record: Record | None, job_id: str, fence: int) -> bool:
    if record is None:
        return False
    if record.state == "active":
        return record.fence == fence
    prefix = attempt_prefix(job_id, fence) + "/"
    return record.expired_at is None and any(
        artifact["key"].startswith(prefix) for artifact in record.artifacts
    )


def goes_on(job: ClaimedMessage, shutdown: Shutdown) -> bool:
    """Renew the lease of a cron task; return False if it must stop."""
    if shutdown.requested.is_set():
        return False
    return job.ledger.beat(job.job_id, job.fence, Progress("sweeping")) == "go"
