"""``PreviewClient``: submit, follow and cancel jobs, from the API, the CLI or your own code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.broker.messages import admission_of, render_message
from app.contract import Contract, RemoteAssets, load_contract
from app.dead_letters import DeadLetters
from app.errors import JobConflict, JobNotFound, QueueFull, ValidationFailed
from app.ledger import TERMINAL_STATES, Ledger, QueueStats, Record, State, connect
from app.metrics import Metrics
from app.settings import Settings

#: Seconds between two looks at a job that is waited for.
POLL_SECONDS = 0.2
#: Advice to a client that finds the queue full: about the time of one render.
QUEUE_FULL_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a submission.

    Attributes:
        job_id: The job.
        replayed: The job existed already with the same payload; nothing was queued.
    """

    job_id: str
    replayed: bool


class PreviewClient:
    """A typed, synchronous client of one queue.

    Args:
        ledger: The queue's ledger.
        contract: What payloads must meet.
        metrics: Where submissions are counted.
        queue_max: Most live jobs (``PREVIEW_QUEUE_MAX``).
        max_attempts: Attempts a job is given.

    Every method raises :class:`app.errors.BrokerUnavailable` when Redis is away.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        contract: Contract,
        metrics: Metrics,
        queue_max: int,
        max_attempts: int,
    ) -> None:
        self.ledger = ledger
        #: The dead letters of the queue.
        self.dead_letters = DeadLetters(ledger, metrics=metrics, queue_max=queue_max)
        self._contract = contract
        self._metrics = metrics
        self._queue_max = queue_max
        self._max_attempts = max_attempts

    @classmethod
    def from_settings(cls, settings: Settings, *, metrics: Metrics | None = None) -> PreviewClient:
        """Build a client as the settings say; connects on first use."""
        return cls(
            Ledger(
                connect(settings),
                queue=settings.preview_queue_name,
                lease_seconds=settings.preview_lease_seconds,
                max_starts=settings.preview_max_starts,
            ),
            contract=load_contract(remote=RemoteAssets.of(settings)),
            metrics=metrics or Metrics(track=settings.preview_track),
            queue_max=settings.preview_queue_max,
            max_attempts=settings.preview_max_attempts,
        )

    def submit(self, payload: object, *, traceparent: str = "") -> Submission:
        """Check a payload and queue it, once for each ``jobId``.

        Raises:
            ValidationFailed: The payload is not valid.
            JobConflict: The ``jobId`` exists with a different payload.
            QueueFull: The queue already holds ``PREVIEW_QUEUE_MAX`` live jobs.
        """
        try:
            document = self._contract.check(payload)
        except ValidationFailed:
            self._metrics.invalid.inc()
            raise
        message = render_message(document, queue=self.ledger.queue, traceparent=traceparent)
        job = admission_of(message, max_attempts=self._max_attempts, track=self._metrics.track)
        outcome = self.ledger.admit(job, limit=self._queue_max)
        if outcome == "conflict":
            raise JobConflict(f"The job {job.job_id!r} exists with a different payload.")
        if outcome == "full":
            raise QueueFull(
                f"The queue has reached its limit of {self._queue_max} live jobs.",
                retry_after_seconds=QUEUE_FULL_RETRY_SECONDS,
            )
        (self._metrics.accepted if outcome == "admitted" else self._metrics.duplicate).inc()
        return Submission(job.job_id, replayed=outcome == "existing")

    def status(self, job_id: str) -> Record:
        """Read a job.

        Raises:
            JobNotFound: There is none of that id.
        """
        record = self.ledger.get(job_id)
        if record is None:
            raise JobNotFound.of(job_id)
        return record

    def cancel(self, job_id: str) -> Record:
        """Cancel a job; a running one stops within two seconds.

        Raises:
            JobNotFound: There is none of that id.
            JobConflict: The job has completed or failed.
        """
        outcome = self.ledger.cancel(job_id)
        if outcome == "cancelled":  # a running job is counted by its worker
            self._metrics.cancelled.inc()
        record = self.status(job_id)
        if outcome == "ended":
            raise JobConflict(f"The job {job_id!r} has already {record.state}.")
        return record

    def jobs(
        self,
        *,
        state: State | None = None,
        project: str | None = None,
        before_us: int | None = None,
        limit: int = 50,
    ) -> tuple[Sequence[Record], int | None]:
        """Read a page of jobs, newest first, and the cursor of the next page."""
        return self.ledger.list_jobs(state=state, project=project, before_us=before_us, limit=limit)

    def queue(self) -> QueueStats:
        """Count the queue."""
        return self.ledger.stats()

    def watch(
        self,
        job_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = POLL_SECONDS,
        on_poll: Callable[[], None] = lambda: None,
    ) -> Iterator[Record]:
        """Yield the job whenever it has changed, until it ends.

        Args:
            job_id: The job.
            timeout_seconds: When to give up; None for never.
            poll_seconds: Pause between two looks.
            on_poll: Called before each look; what it raises ends the watch.

        Raises:
            JobNotFound: There is none of that id.
            TimeoutError: It did not end in ``timeout_seconds``.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        last: Record | None = None
        while True:
            on_poll()
            record = self.status(job_id)
            if record != last:
                yield record
            if record.state in TERMINAL_STATES:
                return
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"The job {job_id!r} is still {record.state}.")
            last = record
            time.sleep(poll_seconds)

    def wait(
        self,
        job_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> Record:
        """Return the job once it has ended; raises as :meth:`watch`."""
        *_, record = self.watch(job_id, timeout_seconds=timeout_seconds, poll_seconds=poll_seconds)
        return record
