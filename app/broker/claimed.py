"""A message on its way through a worker, and what its attempt came to."""

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
    """What an attempt came to, for Settlement to write down.

    Attributes:
        fate: The outcome.
        fields: JSON-ready fields of the record (``artifacts``, ``plan`` …).
        error: Why, for ``delayed`` and ``failed``.
        discard: Removes what the attempt published, should its result not count.
    """

    fate: Fate
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: PreviewError | None = None
    discard: Callable[[], None] | None = None


class ClaimedMessage(MessageProxy):
    """A claimed message: Dramatiq's proxy with the job it stands for.

    Attributes:
        ledger: The ledger it was claimed from.
        job_id: The job.
        fence: What the claim gave; every later call presents it.
        attempt: Number of this attempt, from 1.
        max_attempts: Attempts the job is given.
        waited_seconds: How long the job had waited when it was claimed.
        begun: Whether Idempotency has let the attempt begin.
        verdict: What the attempt came to, once known.
        outcome: What the ledger made of the verdict, once settled.
        ended_at: When its attempt ended, on this machine's monotonic clock: before the ledger was
            told, so that what follows from it is later.
        span: The attempt, as traces tell it.
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
        """Whether this is a preview job and no housekeeping."""
        return self.actor_name == RENDER_ACTOR

    @property
    def payload(self) -> Mapping[str, Any]:
        """The preview job's payload; empty when there is none to speak of."""
        first = self.args[0] if self.args else None
        return first if isinstance(first, dict) else {}

    @property
    def dry_run(self) -> bool:
        """Whether only the plan is asked for."""
        return self.renders and self.payload.get("dryRun") is True

    @property
    def names(self) -> dict[str, str]:
        """What tells this job from others, as logs and traces name it; only what it has."""
        names = {"jobId": self.job_id}
        names |= {name: self.text(name) for name in ("requestId", "projectId")}
        return {name: value for name, value in names.items() if value}

    @property
    def error(self) -> PreviewError | None:
        """What the attempt failed for, if it did."""
        return self.verdict.error if self.verdict else None

    @property
    def refused(self) -> bool:
        """Whether it failed for what its author had sent."""
        return self.outcome == "failed" and isinstance(self.error, REFUSALS)

    @property
    def faulty(self) -> bool:
        """Whether a preview's attempt failed for any other reason."""
        return self.renders and self.outcome in ("delayed", "failed") and not self.refused

    @property
    def elapsed_seconds(self) -> float:
        """Time since the claim was sent: no more of the lease than that is over."""
        return time.monotonic() - self._claimed_at

    def failed_for(self, error: PreviewError) -> Verdict:
        """Return the verdict on an attempt that ``error`` has ended: retried while it may help."""
        last = self.attempt >= self.max_attempts
        gives_up = last or isinstance(error, PermanentError)
        return Verdict("failed" if gives_up else "delayed", error=error)

    def text(self, name: str) -> str:
        """Return a string member of the payload for logs and records, "" when absent."""
        value = self.payload.get(name)
        return value if isinstance(value, str) else ""

    def __str__(self) -> str:
        # Dramatiq logs messages by str(): the payload does not belong into logs.
        return f"{self.actor_name}({self.job_id})"

    __repr__ = __str__


def claimed(message: object) -> ClaimedMessage:
    """Return what the consumer of this broker has made, typed."""
    if not isinstance(message, ClaimedMessage):
        raise TypeError(f"expected a message of the ledger's consumer, got {type(message)}")
    return message
