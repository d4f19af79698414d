"""A running attempt's sign of life: renews the lease whatever the attempt is busy with."""

from __future__ import annotations

import threading
import time
from typing import Final, Self

from app.broker import ClaimedMessage
from app.errors import BrokerUnavailable
from app.ledger import Progress

#: How often the lease is renewed, progress stored and a cancellation noticed.
BEAT_SECONDS: Final = 0.5


class Heartbeat:
    """Beats in a thread of its own while an attempt runs, as a context manager.

    Starting a child process or storing files may take longer than a lease; a server that does
    not answer must not keep the attempt from its deadline.

    Args:
        job: The attempt.
        max_seconds: When to stop: an attempt that hangs loses its lease then.
    """

    def __init__(self, job: ClaimedMessage, *, max_seconds: float) -> None:
        self._job = job
        self._until = time.monotonic() + max_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        #: How far the attempt is; replaced by whoever knows.
        self.progress = Progress("preparing")
        #: Why to stop, once the ledger has said so: ``cancelled`` or ``lease-lost``.
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
                continue  # the attempt goes on; the fence guards its result
            self.stop_reason = {"cancel": "cancelled", "stale": "lease-lost"}.get(answer)
