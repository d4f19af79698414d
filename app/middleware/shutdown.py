"""Shutdown: a worker that is told to stop takes nothing more and ends in time."""

from __future__ import annotations

import threading
import time

from dramatiq import Broker, Middleware, Worker

from app.broker import Slots
from app.logs import get_logger

log = get_logger(__name__)


class Shutdown(Middleware):
    """Drains the slots at SIGTERM and starts the clock of the grace period.

    Replaces Dramatiq's ShutdownNotifications: running actors watch a child
    process and ask :meth:`expired` themselves, so no asynchronous exception is
    raised in a thread, which could hit it anywhere.

    Hooks: before worker boot, before worker shutdown. Order: third; it has no
    hook on messages.

    Args:
        slots: The slots to drain.
        grace_seconds: How long running attempts may go on.
    """

    def __init__(self, slots: Slots, *, grace_seconds: float) -> None:
        self._slots = slots
        self._grace = grace_seconds
        self._deadline: float | None = None
        self.requested = threading.Event()

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Learn how many threads there are."""
        self._slots.resize(worker.worker_threads)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Take nothing more; running attempts have the grace period."""
        self._deadline = time.monotonic() + self._grace
        self._slots.drain()
        self.requested.set()
        log.info("worker.draining", graceSeconds=self._grace)

    def expired(self) -> bool:
        """Return whether the grace period is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline
