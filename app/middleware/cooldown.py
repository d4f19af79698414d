"""Cooldown: a worker whose attempts keep failing slows down and leaves jobs to other workers."""

from __future__ import annotations

import threading

from app.broker import ClaimedMessage, Slots
from app.errors import AssetUnavailable
from app.logs import get_logger
from app.middleware.attempts import AttemptEnd

log = get_logger(__name__)

#: Most failed jobs to remember; by then, the pause has reached its maximum.
MOST_REMEMBERED = 32


def rest_seconds(jobs: int, *, first: float, longest: float) -> float:
    """Return how long a slot pauses after ``jobs`` failures in a row. One failure is no reason."""
    return min(longest, first * 2.0 ** min(jobs - 2, MOST_REMEMBERED)) if jobs > 1 else 0.0


class Cooldown(AttemptEnd):
    """Pauses the slot of a failed attempt, longer with each further job that fails.

    A worker that fails fast is free again fast, so a full disk or a broken canary would take most
    of the jobs, and every attempt of some. During the pause, other workers take them. A completed
    render resets the count. Repeated failures of one job, mistakes of authors, unreachable asset
    hosts and dry runs do not count, because they say nothing about the worker.

    Hooks: end of attempt. Order: outermost, so that logs and metrics do not wait for the pause.

    Args:
        slots: The slots of the worker; the pause ends when they drain.
        first_seconds: Pause after the second failed job; doubles with each further one.
        longest_seconds: Longest pause, 0 to disable it.
    """

    def __init__(self, slots: Slots, *, first_seconds: float = 1.0, longest_seconds: float) -> None:
        self._slots = slots
        self._first = first_seconds
        self._longest = longest_seconds
        #: The jobs that have failed in a row, with the time at which their last attempt ended.
        self._failed: dict[str, float] = {}
        self._good_at = 0.0
        self._lock = threading.Lock()

    def ended(self, job: ClaimedMessage) -> None:
        """Pause if several jobs have failed in a row."""
        failed = self._count(job)
        seconds = rest_seconds(failed, first=self._first, longest=self._longest)
        if seconds:
            log.warning("worker.resting", seconds=seconds, failedInARow=failed)
            self._slots.rest(job.queue_name, seconds)

    def _count(self, job: ClaimedMessage) -> int:
        """Return how many jobs have failed in a row, 0 if this one has not.

        Attempts may be reported in any order: the retry of a job can complete in another thread
        before this method is called for the attempt that failed.
        """
        with self._lock:
            if job.faulty and not isinstance(job.error, AssetUnavailable):
                if job.ended_at < self._good_at:
                    return 0
                if len(self._failed) < MOST_REMEMBERED:
                    self._failed[job.job_id] = job.ended_at
                return len(self._failed)
            if job.renders and job.outcome == "completed" and not job.dry_run:
                self._good_at = max(self._good_at, job.ended_at)
                failed = self._failed.items()
                self._failed = {one: at for one, at in failed if at > self._good_at}
            return 0
