"""Dead letters: list, replay and purge them, for the API, the CLI and the scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.broker.messages import payload_of
from app.errors import JobNotFound, ReplayConflict
from app.ledger import DeadLetterFilter, Ledger, Record, Replay
from app.metrics import Metrics


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Result of a replay.

    Attributes:
        replayed: Jobs that were queued again; in a dry run, jobs that would be tried.
        skipped: The other jobs, each with the reason: ``job-not-found``, ``replay-conflict``
            (not a dead letter, perhaps because someone else has replayed it), ``queue-full``,
            ``message-lost``.
    """

    replayed: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


#: Reasons why a job was not replayed, as in the API.
_SKIPPED: dict[Replay, str] = {
    "missing": "job-not-found",
    "live": "replay-conflict",
    "ended": "replay-conflict",
    "full": "queue-full",
    "lost": "message-lost",
}
#: All reasons.
SKIP_REASONS = tuple(dict.fromkeys(_SKIPPED.values()))


def _foreseen(record: Record | None) -> Replay:
    if record is None:
        return "missing"
    return "replayed" if record.state == "failed" else "live"


class DeadLetters:
    """The dead letters of one queue.

    Args:
        ledger: The queue's ledger.
        metrics: Counts replays.
        queue_max: Most live jobs (``PREVIEW_QUEUE_MAX``).

    Every method raises :class:`app.errors.BrokerUnavailable` when Redis is away.
    """

    def __init__(self, ledger: Ledger, *, metrics: Metrics, queue_max: int) -> None:
        self._ledger = ledger
        self._metrics = metrics
        self._queue_max = queue_max

    def page(
        self, wanted: DeadLetterFilter, *, before_us: int | None = None, limit: int = 50
    ) -> tuple[Sequence[Record], int | None]:
        """Read a page of dead letters, the last failed first, and the cursor of the next page."""
        return self._ledger.list_dead_letters(wanted, before_us=before_us, limit=limit)

    def get(self, job_id: str) -> Record:
        """Read a dead letter.

        Raises:
            JobNotFound: There is none of that id.
        """
        record = self._ledger.get(job_id)
        if record is None:
            raise JobNotFound.of(job_id)
        if record.state != "failed":
            raise JobNotFound(f"The job {job_id!r} is {record.state}; it is not a dead letter.")
        return record

    def payload(self, job_id: str) -> Any:
        """Return the payload of a dead letter, None if it is unreadable."""
        return payload_of(self._ledger.message(job_id) or b"")

    def replay(self, job_ids: Sequence[str], *, dry_run: bool = False) -> ReplayReport:
        """Queue dead letters again, as far as ``PREVIEW_QUEUE_MAX`` allows.

        Args:
            job_ids: The dead letters, in the order in which to queue them. Duplicates are ignored.
            dry_run: Only return which jobs would be tried, regardless of free capacity.
        """
        wanted = list(dict.fromkeys(job_ids))
        if dry_run:
            outcomes = [_foreseen(record) for record in self._ledger.get_many(wanted)]
        else:
            outcomes = self._ledger.archive.replay(wanted, limit=self._queue_max)
        told = list(zip(wanted, outcomes, strict=True))
        replayed = tuple(job_id for job_id, outcome in told if outcome == "replayed")
        if not dry_run:
            self._metrics.replayed.inc(len(replayed))
        skipped = ((job_id, _SKIPPED[outcome]) for job_id, outcome in told if outcome in _SKIPPED)
        return ReplayReport(replayed, tuple(skipped))

    def replay_matching(
        self, wanted: DeadLetterFilter, *, limit: int, dry_run: bool
    ) -> ReplayReport:
        """Queue the oldest dead letters that match, at most ``limit``.

        Args:
            wanted: Selects the dead letters.
            limit: Most jobs to replay.
            dry_run: Only return which jobs would be tried.
        """
        job_ids = self._ledger.oldest_dead_letters(wanted, limit=limit)
        return self.replay(job_ids, dry_run=dry_run)

    def purge(self, job_id: str) -> None:
        """Delete a dead letter for good.

        Raises:
            JobNotFound: There is no job with that id.
            ReplayConflict: The job is not a dead letter.
        """
        outcome = self._ledger.archive.purge(job_id)
        if outcome == "missing":
            raise JobNotFound.of(job_id)
        if outcome != "purged":
            raise ReplayConflict(
                f"The job {job_id!r} is not a dead letter, so it cannot be purged."
            )
