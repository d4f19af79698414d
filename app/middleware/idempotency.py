"""Idempotency: a job is run by the one who holds its lease and never after its end."""

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

#: Share of the lease within which a claim needs no question whether it still holds.
FRESH_SHARE = 0.5


class Idempotency(Middleware):
    """Skips a message whose job may have gone to another worker since it was claimed.

    The claim has given the job to one worker for the length of a lease. A process that was
    stopped in between asks again before it runs anything.

    Hooks: before process. Order: inside of Validation, outside of DryRun.

    Args:
        metrics: Where attempts that begin and their waits are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Let the job begin.

        Raises:
            SkipMessage: It ended, is to be cancelled, or another worker has it.
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
            # Given back as soon as Redis answers, if it is still ours.
            job.verdict = Verdict("released")
            raise SkipMessage(error.detail) from error
        if answer == "cancel":
            job.verdict = Verdict("cancelled")
            raise SkipMessage("the job is to be cancelled")
        if answer == "stale":
            job.outcome = "stale"
            log.warning("claim.lost", afterSeconds=round(job.elapsed_seconds, 3))
            raise SkipMessage("the job is no longer this worker's")
