"""Idempotency: only the worker that holds a job's lease runs it, and never after its end."""

from __future__ import annotations

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from app.broker import ClaimedMessage, Verdict, claimed
from app.errors import BrokerUnavailable
from app.ledger import Progress
from app.logs import bind, get_logger
from app.metrics import Metrics

log = get_logger(__name__)

#: A claim younger than this share of the lease is taken to be valid without asking Redis.
FRESH_SHARE = 0.5


class Idempotency(Middleware):
    """Skips a message whose job may have gone to another worker since the claim.

    A claim gives the job to one worker for the length of a lease. A process that was suspended
    in the meantime asks Redis before it runs anything.

    Hooks: before process. Order: inside Validation, outside DryRun.

    Args:
        metrics: Counts the attempts that begin, and their waiting times.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Let the job begin.

        Raises:
            SkipMessage: The job has ended, is being cancelled, or belongs to another worker.
        """
        job = claimed(message)
        if job.elapsed_seconds > FRESH_SHARE * job.ledger.lease_seconds:
            self._ask(job)
        job.begun = True
        bind(attempt=job.attempt)
        if job.renders:
            self._metrics.started.inc()
            self._metrics.wait.observe(job.waited_seconds)

    def _ask(self, job: ClaimedMessage) -> None:
        try:
            answer = job.ledger.beat(job.job_id, job.fence, Progress("preparing"))
        except BrokerUnavailable as error:
            # Settlement gives the job back once Redis responds, if it still belongs to this worker.
            job.verdict = Verdict("released")
            raise SkipMessage(error.detail) from error
        if answer == "cancel":
            job.verdict = Verdict("cancelled")
            raise SkipMessage("the job is being cancelled")
        if answer == "stale":
            job.outcome = "stale"
            log.warning("claim.lost", afterSeconds=round(job.elapsed_seconds, 3))
            raise SkipMessage("the job no longer belongs to this worker")
