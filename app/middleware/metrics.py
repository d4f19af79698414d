"""JobMetrics: counts the outcomes of preview jobs."""

from __future__ import annotations

from app.broker import ClaimedMessage
from app.metrics import Metrics
from app.middleware.attempts import AttemptEnd


class JobMetrics(AttemptEnd):
    """Counts outcomes once the ledger has settled them. Cron tasks are not counted.

    Hooks: end of attempt. Order: outermost, so that it sees the final outcome.

    Args:
        metrics: The counters.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def ended(self, job: ClaimedMessage) -> None:
        """Count the attempt and its outcome."""
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
