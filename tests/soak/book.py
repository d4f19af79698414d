"""What clients were told, to be held against what has happened."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from tests.faults.history import History

#: What an answer may acknowledge about a job.
Act = Literal["cancelled", "replayed", "forgotten"]


class Book:
    """The answers that all clients got. Thread-safe.

    Attributes:
        accepted: Jobs whose admission was acknowledged.
        unsure: Jobs of which an answer was lost: admitted or not.
        doomed: Dead letters that somebody asked to purge, whatever the answer was.
        answers: How often each request got each status; 0 where the answer was lost.
    """

    def __init__(self) -> None:
        self.accepted: set[str] = set()
        self.unsure: set[str] = set()
        self.doomed: set[str] = set()
        self.answers: Counter[tuple[str, int]] = Counter()
        self._acknowledged: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def answered(self, what: str, status: int) -> None:
        """Note an answer, or with 0 that there was none."""
        with self._lock:
            self.answers[what, status] += 1

    def acknowledged(self, act: Act, job_id: str) -> None:
        """Note what was promised about a job; one cancellation may be acknowledged many times."""
        with self._lock:
            self._acknowledged[act, job_id] += 1
            if act == "cancelled":
                self._acknowledged[act, job_id] = 1

    def submitted(self, job_id: str, status: int) -> None:
        """Note the answer to a submission; 503 may come of a reply that the API missed."""
        with self._lock:
            if status in (200, 202):
                self.accepted.add(job_id)
            elif status in (0, 503):
                self.unsure.add(job_id)

    def broken(self, history: History) -> Iterator[str]:
        """Yield each answer that the history belies."""
        happened = Counter(
            (event.after if event.kind == "state" else event.kind, event.job_id)
            for event in history.events
        )
        for (act, job_id), number in self._acknowledged.items():
            found = happened[act, job_id]
            if found < number:
                yield f"{job_id} was told {number} times to be {act}, and was {found} times"
        admitted = {job_id for kind, job_id in happened if kind == "accepted"}
        for job_id in sorted(admitted - self.accepted - self.unsure):
            yield f"{job_id} was refused and yet admitted"
