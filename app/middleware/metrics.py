"""JobMetrics: counts what became of each preview job."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy

from app.broker import ClaimedMessage, claimed
from app.metrics import Metrics


class JobMetrics(Middleware):
    """Counts outcomes once the ledger has settled them.

    Hooks: after process, after skip. Order: outermost, so that it sees the
    outcome that every other middleware has left. Housekeeping is not counted.

    Args:
        metrics: Where to count.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def after_process_message(
        self,
        broker: Broker,  # noqa: ARG002 - Dramatiq's signature
        message: MessageProxy,
        *,
        result: Any | None = None,  # noqa: ARG002 - Dramatiq's signature
        exception: BaseException | None = None,  # noqa: ARG002 - the ledger's word counts
    ) -> None:
        """Count an attempt that ran."""
        self._count(claimed(message))

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Count a job that was rejected, answered or not to be run again."""
        self._count(claimed(message))

    def _count(self, job: ClaimedMessage) -> None:
        if not job.renders or not job.outcome:
            return
        metrics = self._metrics
        planned = job.outcome == "completed" and job.dry_run
        metrics.attempt("dry-run" if planned else job.outcome)
        if planned:
            metrics.dryrun.inc()
        if job.error and job.error.code == "validation-failed":
            metrics.invalid.inc()
        if job.refused:
            metrics.refused.inc()
        counter = {
            "completed": metrics.completed,
            "failed": metrics.failed,
            "delayed": metrics.retried,
            "cancelled": metrics.cancelled,
            "stale": metrics.duplicate,
        }.get(job.outcome)
        if counter:
            counter.inc()
        if job.begun:
            metrics.duration.observe(job.elapsed_seconds)
