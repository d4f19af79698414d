"""Cooldown: a worker whose attempts all fail slows down, and leaves the jobs to others."""

from __future__ import annotations

import threading

from app.broker import ClaimedMessage
from app.errors import AssetUnavailable
from app.logs import get_logger
from app.middleware.attempts import AttemptEnd
from app.middleware.shutdown import Shutdown

log = get_logger(__name__)

#: Of the jobs that have failed in a row; after so many, the rest is the longest anyway.
MOST_REMEMBERED = 32


def rest_seconds(jobs: int, *, first: float, longest: float) -> float:
    """Return how long a slot rests after so many jobs in a row; one alone may be at fault."""
    return min(longest, first * 2.0 ** min(jobs - 2, MOST_REMEMBERED)) if jobs > 1 else 0.0


class Cooldown(AttemptEnd):
    """Lets the slot of a failed attempt rest, the longer the more jobs have failed in a row.

    Whoever fails at once is free again at once, and would take most of the jobs, all attempts of
    some: a full disk, a broken canary. While it rests, others are asked. A render that ends well
    ends the row; one job that fails again and again, what authors have done wrong, hosts of assets
    that are away, and dry runs say nothing about a worker.

    Hooks: the attempt's end. Order: outermost: all is told and counted before the rest.

    Args:
        shutdown: Ends the rest.
        first_seconds: The rest after the second job in a row; it doubles with each that follows.
        longest_seconds: Longest rest; 0 for none.
    """

    def __init__(
        self, shutdown: Shutdown, *, first_seconds: float = 1.0, longest_seconds: float
    ) -> None:
        self._shutdown = shutdown
        self._first = first_seconds
        self._longest = longest_seconds
        #: When the last attempt of each job ended that has failed in this row.
        self._failed: dict[str, float] = {}
        self._good_at = 0.0
        self._lock = threading.Lock()

    def ended(self, job: ClaimedMessage) -> None:
        """Rest, if too many jobs have failed in a row."""
        failed = self._count(job)
        seconds = rest_seconds(failed, first=self._first, longest=self._longest)
        if seconds:
            log.warning("worker.resting", seconds=seconds, failedInARow=failed)
            self._shutdown.requested.wait(seconds)

    def _count(self, job: ClaimedMessage) -> int:
        """Return how many jobs have failed in a row, 0 when this one has not.

        Attempts are told of in any order: the next one of a job may end well in another thread
        before this is called for the one that failed.
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
