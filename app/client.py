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

#: Interval between reads of a job that :meth:`PreviewClient.watch` follows.
POLL_SECONDS = 0.2
#: When to submit again after the queue was full: about the time of one render.
QUEUE_FULL_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Submission:
    """Result of a submission.

    Attributes:
        job_id: The ``jobId`` of the payload.
        replayed: The job existed already with the same payload, so nothing was queued.
    """

    job_id: str
    replayed: bool


class PreviewClient:
    """A synchronous client of one queue.

    Args:
        ledger: The queue's ledger.
        contract: Checks payloads.
        metrics: Counts submissions and cancellations.
        queue_max: Most live jobs (``PREVIEW_QUEUE_MAX``).
        max_attempts: Most attempts of a job.

    Every method raises :class:`app.errors.BrokerUnavailable` when Redis is unreachable.

    Examples:
        The examples of the methods use this client and this payload, each on an empty queue.
        No worker runs.

        >>> from app.client import PreviewClient
        >>> from app.settings import load_settings
        >>> client = PreviewClient.from_settings(load_settings())
        >>> payload = {
        ...     "jobId": "harbour-1",
        ...     "projectId": "harbour",
        ...     "requestId": "request-1",
        ...     "previewRequest": {
        ...         "title": "Harbour",
        ...         "steps": [{"id": "setup", "text": "Place the board.", "durationSec": 2}],
        ...         "assets": [],
        ...         "audio": {},
        ...         "options": {"resolution": "1280x720", "fps": 30},
        ...     },
        ...     "dryRun": False,
        ... }
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
        """Build a client of the queue that the settings name. It connects on first use.

        Args:
            settings: See docs/configuration.md.
            metrics: Counts submissions and cancellations; by default counters of its own.

        Examples:
            >>> other = load_settings().model_copy(update={"preview_queue_name": "drafts"})
            >>> PreviewClient.from_settings(other).ledger.queue
            'drafts'
        """
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

        Args:
            payload: The job (docs/payload.md).
            traceparent: Trace that the job belongs to, as in W3C Trace Context.

        Raises:
            ValidationFailed: The payload is not valid.
            JobConflict: The ``jobId`` exists with a different payload.
            QueueFull: The queue already holds ``PREVIEW_QUEUE_MAX`` live jobs.

        Examples:
            >>> client.submit(payload)
            Submission(job_id='harbour-1', replayed=False)
            >>> client.submit(payload)
            Submission(job_id='harbour-1', replayed=True)

            An invalid payload raises an error that lists every violation:

            >>> from app.errors import ValidationFailed
            >>> try:
            ...     client.submit({**payload, "dryRun": "yes"})
            ... except ValidationFailed as error:
            ...     [(item.pointer, item.code) for item in error.errors]
            [('/dryRun', 'wrong-type')]
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
        """Read a job: its state, progress, error, files and plan.

        Raises:
            JobNotFound: There is no job with that id.

        Examples:
            >>> job_id = client.submit(payload).job_id
            >>> record = client.status(job_id)
            >>> record.state, record.attempt, record.max_attempts
            ('queued', 0, 5)
        """
        record = self.ledger.get(job_id)
        if record is None:
            raise JobNotFound.of(job_id)
        return record

    def cancel(self, job_id: str) -> Record:
        """Cancel a job. A running job stops within two seconds.

        Returns:
            The job. A running one is still ``active`` until its worker has stopped.

        Raises:
            JobNotFound: There is no job with that id.
            JobConflict: The job has already completed or failed.

        Examples:
            >>> job_id = client.submit(payload).job_id
            >>> client.cancel(job_id).state
            'cancelled'
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
        """Read a page of jobs, newest first. Their plans are left out.

        Args:
            state: Only jobs in this state.
            project: Only jobs of this ``projectId``.
            before_us: Cursor of the page, None for the first.
            limit: Most jobs of the page.

        Returns:
            The jobs, and the cursor of the next page, None if this is the last.

        Examples:
            >>> for number in range(3):
            ...     _ = client.submit({**payload, "jobId": f"harbour-{number}"})
            >>> page, cursor = client.jobs(project="harbour", limit=2)
            >>> [record.job_id for record in page]
            ['harbour-2', 'harbour-1']
            >>> page, cursor = client.jobs(project="harbour", limit=2, before_us=cursor)
            >>> [record.job_id for record in page], cursor
            (['harbour-0'], None)
        """
        return self.ledger.list_jobs(state=state, project=project, before_us=before_us, limit=limit)

    def queue(self) -> QueueStats:
        """Count the jobs of each state and the live workers.

        Examples:
            >>> _ = client.submit(payload)
            >>> stats = client.queue()
            >>> stats.waiting, stats.active, len(stats.workers)
            (1, 0, 0)
        """
        return self.ledger.stats()

    def watch(
        self,
        job_id: str,
        *,
        timeout_seconds: float | None = None,
        poll_seconds: float = POLL_SECONDS,
        on_poll: Callable[[], None] = lambda: None,
    ) -> Iterator[Record]:
        """Yield the job each time it has changed, until it ends.

        Args:
            job_id: The job.
            timeout_seconds: When to give up, None for never.
            poll_seconds: Interval between reads.
            on_poll: Called before each read. An exception from it ends the watch.

        Raises:
            JobNotFound: There is no job with that id.
            TimeoutError: The job has not ended within ``timeout_seconds``.

        Examples:
            >>> job_id = client.submit(payload).job_id
            >>> for record in client.watch(job_id, timeout_seconds=60):
            ...     print(record.state)
            ...     _ = client.cancel(job_id)
            queued
            cancelled
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
        """Return the job once it has ended. Arguments and errors are those of :meth:`watch`.

        Examples:
            >>> job_id = client.submit(payload).job_id
            >>> try:
            ...     client.wait(job_id, timeout_seconds=0.1)
            ... except TimeoutError as error:
            ...     print(error)
            The job 'harbour-1' is still queued.
        """
        *_, record = self.watch(job_id, timeout_seconds=timeout_seconds, poll_seconds=poll_seconds)
        return record
