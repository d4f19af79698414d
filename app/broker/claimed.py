"""A message on its way through a worker, with the outcome of its attempt."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dramatiq import Message
from dramatiq.broker import MessageProxy

from app.broker.messages import RENDER_ACTOR
from app.errors import REFUSALS, PermanentError, PreviewError
from app.ledger import Claimed, Fate, Ledger
from app.tracing import Span


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of an attempt, for Settlement to record.

    Attributes:
        fate: The outcome.
        fields: JSON-ready fields of the record (``artifacts``, ``plan`` and so on).
        error: The reason, if ``fate`` is ``delayed`` or ``failed``.
        discard: Deletes what the attempt published, if the ledger does not accept its result.
    """

    fate: Fate
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: PreviewError | None = None
    discard: Callable[[], None] | None = None


class ClaimedMessage(MessageProxy):
    """A claimed message: Dramatiq's proxy, with the job that it belongs to.

    Attributes:
        ledger: The ledger that it was claimed from.
        job_id: The job.
        fence: Fencing token of the claim, for every later call of the ledger.
        attempt: Number of this attempt, from 1.
        max_attempts: Most attempts of the job.
        waited_seconds: How long the job waited for the claim.
        begun: Whether Idempotency has let the attempt begin.
        verdict: The worker's outcome of the attempt, once there is one.
        outcome: The ledger's outcome of the attempt, once it is settled, else "".
        ended_at: When the attempt ended, on the monotonic clock. Taken before the job is settled,
            so attempts that follow from it end later.
        span: The span of the attempt.
    """

    def __init__(
        self, message: Message[Any], *, ledger: Ledger, claimed: Claimed, claimed_at: float
    ) -> None:
        super().__init__(message)
        self.ledger = ledger
        self.job_id = claimed.job_id
        self.fence = claimed.fence
        self.attempt = claimed.attempt
        self.max_attempts = claimed.max_attempts
        self.waited_seconds = claimed.waited_seconds
        self.begun = False
        self.verdict: Verdict | None = None
        self.outcome = ""
        self.ended_at = 0.0
        self.span = Span()
        self._claimed_at = claimed_at

    @property
    def renders(self) -> bool:
        """Whether this is a preview job, not a cron task."""
        return self.actor_name == RENDER_ACTOR

    @property
    def payload(self) -> Mapping[str, Any]:
        """The payload of the preview job, empty if there is none."""
        first = self.args[0] if self.args else None
        return first if isinstance(first, dict) else {}

    @property
    def dry_run(self) -> bool:
        """Whether the job is a dry run, which is planned and not rendered."""
        return self.renders and self.payload.get("dryRun") is True

    @property
    def names(self) -> dict[str, str]:
        """The names of the job in logs and traces, without those that it lacks."""
        names = {"jobId": self.job_id}
        names |= {name: self.text(name) for name in ("requestId", "projectId")}
        return {name: value for name, value in names.items() if value}

    @property
    def error(self) -> PreviewError | None:
        """Why the attempt failed, if it did."""
        return self.verdict.error if self.verdict else None

    @property
    def refused(self) -> bool:
        """Whether it failed because of an error that its author has to fix."""
        return self.outcome == "failed" and isinstance(self.error, REFUSALS)

    @property
    def faulty(self) -> bool:
        """Whether a preview job's attempt failed for any other reason."""
        return self.renders and self.outcome in ("delayed", "failed") and not self.refused

    @property
    def elapsed_seconds(self) -> float:
        """Time since the claim was sent, an upper bound of the age of the lease."""
        return time.monotonic() - self._claimed_at

    def failed_for(self, error: PreviewError) -> Verdict:
        """Return the verdict on an attempt that ``error`` has ended: retried while it may help."""
        last = self.attempt >= self.max_attempts
        gives_up = last or isinstance(error, PermanentError)
        return Verdict("failed" if gives_up else "delayed", error=error)

    def text(self, name: str) -> str:
        """Return a string field of the payload, "" if it is absent or not a string."""
        value = self.payload.get(name)
        return value if isinstance(value, str) else ""

    def __str__(self) -> str:
        # Dramatiq logs str(message), and payloads do not belong in logs.
        return f"{self.actor_name}({self.job_id})"

    __repr__ = __str__


def claimed(message: object) -> ClaimedMessage:
    """Return ``message`` as a :class:`ClaimedMessage`, which the broker's consumer creates.

    Raises:
        TypeError: Something else created it.
    """
    if not isinstance(message, ClaimedMessage):
        raise TypeError(f"expected a message of the ledger's consumer, got {type(message)}")
    return message
