"""Idempotency: a job is begun by one worker at a time and never after its end."""

from __future__ import annotations

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from app.broker import Verdict, claimed
from app.errors import BrokerUnavailable
from app.logs import bind, get_logger
from app.metrics import Metrics

log = get_logger(__name__)


class Idempotency(Middleware):
    """Asks the ledger for the right to run a job and skips the message without it.

    Hooks: before process. Order: inside of Validation, outside of DryRun.

    Args:
        metrics: Where begun attempts and their waits are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Begin the job.

        Raises:
            SkipMessage: It ended, was cancelled, or another worker has it.
        """
        job = claimed(message)
        try:
            begun = job.ledger.begin(job.job_id, job.fence)
        except BrokerUnavailable as error:
            # Not begun for all we know: given back as soon as Redis answers.
            job.verdict = Verdict("released")
            raise SkipMessage(error.detail) from error
        if begun.outcome != "granted":
            job.outcome = {"cancelled": "cancelled", "lost": "failed"}.get(begun.outcome, "stale")
            log.info("begin.refused", reason=begun.outcome)
            raise SkipMessage(f"the job is {begun.outcome}")
        job.attempt, job.max_attempts = begun.attempt, begun.max_attempts
        bind(attempt=begun.attempt)
        if job.renders:
            self._metrics.started.inc()
            self._metrics.wait.observe(begun.waited_seconds)
