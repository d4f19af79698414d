"""Settlement: decides the outcome of an attempt and records it in the ledger, once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy

from app.broker import ClaimedMessage, Verdict, claimed
from app.errors import BrokerUnavailable, PreviewError, RenderFailed
from app.logs import get_logger
from app.middleware.shutdown import Shutdown

log = get_logger(__name__)

#: Longest pause between two calls of the ledger.
SETTLE_PAUSE_SECONDS = 2.0
#: Smallest share of the computed backoff that jitter leaves.
JITTER_FLOOR = 0.5


def backoff_seconds(
    attempt: int, *, base: float, cap: float, jitter: Callable[[], float] = random.random
) -> float:
    """Return the backoff after attempt number ``attempt`` (from 1), in seconds.

    Exponential with "equal jitter": half of ``min(cap, base·2^(attempt−1))`` is fixed and half is
    random, so that jobs that fail together are not retried together (M. Brooker, "Exponential
    Backoff And Jitter", 2015).
    """
    full = min(cap, base * 2.0 ** min(attempt - 1, 32))
    return full * (JITTER_FLOOR + (1 - JITTER_FLOOR) * jitter())


class Settlement(Middleware):
    """Settles every message that reached the middleware.

    A :class:`~app.errors.PermanentError` fails the job at once. Every other error is retried
    while attempts are left. While Redis is unreachable, settling is tried again, because finished
    work must not be lost. During a shutdown it stops after the grace period, and the job is queued
    again when its lease expires.

    Hooks: after process, after skip. Order: outside all middleware that reaches a verdict
    (Validation, Idempotency, DryRun), inside all that reports it.

    Args:
        shutdown: Says when to give up.
        base_seconds: Backoff after the first attempt.
        cap_seconds: Longest backoff.
    """

    def __init__(self, shutdown: Shutdown, *, base_seconds: float, cap_seconds: float) -> None:
        self._shutdown = shutdown
        self._base = base_seconds
        self._cap = cap_seconds

    @property
    def actor_options(self) -> set[str]:
        """``throws``: errors that Dramatiq logs without a traceback."""
        return {"throws"}

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any | None = None,
        exception: BaseException | None = None,
    ) -> None:
        """Settle an attempt that ran."""
        job = claimed(message)
        self._settle(job, self._judge(job, exception))

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        """Settle a message that was not run, unless the ledger has refused it already."""
        job = claimed(message)
        if not job.outcome:
            # Another middleware may skip without a verdict: periodiq drops a tick that is too old.
            self._settle(job, job.verdict or Verdict("cancelled"))

    def _judge(self, job: ClaimedMessage, exception: BaseException | None) -> Verdict:
        """Return the outcome of an attempt. Its own verdict takes precedence over an exception."""
        match job.verdict or exception:
            case Verdict() as verdict:
                return verdict
            case None:
                return Verdict("completed")
            case PreviewError() as error:
                return job.failed_for(error)
            case _:
                detail = "An unexpected error stopped the attempt; see the worker's log."
                return job.failed_for(RenderFailed(detail))

    def _settle(self, job: ClaimedMessage, verdict: Verdict) -> None:
        job.verdict, job.ended_at = verdict, time.monotonic()
        match self._report(job, verdict):
            case None:
                return  # another worker gets the job when the lease expires
            case "queued":
                job.outcome = "released"
            case "missing":
                job.outcome = "stale"
            case outcome:
                job.outcome = outcome
        if job.outcome != "completed" and verdict.discard is not None:
            verdict.discard()

    def _report(self, job: ClaimedMessage, verdict: Verdict) -> str | None:
        """Return the ledger's answer, None if the grace period ends before Redis responds."""
        fields = dict(verdict.fields)
        if verdict.error is not None:
            fields["error"] = verdict.error.to_problem(request_id=job.text("requestId"))
        delay = backoff_seconds(job.attempt, base=self._base, cap=self._cap)
        tries = 0
        while True:
            try:
                return job.ledger.settle(
                    job.job_id, job.fence, verdict.fate, delay_seconds=delay, fields=fields
                )
            except BrokerUnavailable as error:
                tries += 1
                if self._shutdown.expired():
                    log.critical("settle.given-up", detail=error.detail, until="lease expires")
                    return None
                time.sleep(min(SETTLE_PAUSE_SECONDS, 0.1 * 2.0**tries))
