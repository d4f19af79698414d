"""The heartbeat of a running attempt, which renews its lease."""

from __future__ import annotations

import threading
import time
from typing import Final, Self

from app.broker import ClaimedMessage
from app.errors import BrokerUnavailable
from app.ledger import Progress

#: Interval at which the lease is renewed, progress stored and cancellation checked.
BEAT_SECONDS: Final = 0.5


class Heartbeat:
    """Context manager that sends heartbeats from a thread while an attempt runs.

    A thread, because starting a child process or storing files may take longer than a lease, and
    because an unresponsive Redis must not delay the deadline of the attempt.

    Args:
        job: The attempt.
        max_seconds: The heartbeat stops after this time, so that an attempt that hangs loses its
            lease.
    """

    def __init__(self, job: ClaimedMessage, *, max_seconds: float) -> None:
        self._job = job
        self._until = time.monotonic() + max_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        #: Progress of the attempt, which the attempt itself updates.
        self.progress = Progress("preparing")
        #: Why the attempt must stop: ``cancelled`` or ``lease-lost``; None while it may continue.
        self.stop_reason: str | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while self.stop_reason is None and time.monotonic() < self._until:
            if self._ended.wait(BEAT_SECONDS):
                return
            try:
                answer = self._job.ledger.beat(self._job.job_id, self._job.fence, self.progress)
            except BrokerUnavailable:
                continue  # the attempt goes on, because the fence protects its result
            self.stop_reason = {"cancel": "cancelled", "stale": "lease-lost"}.get(answer)
