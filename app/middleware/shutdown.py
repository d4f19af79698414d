"""Shutdown: a worker that receives SIGTERM claims no more jobs and exits in time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from dramatiq import Broker, Middleware, Worker
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from app.broker import Slots, Verdict, claimed
from app.logs import get_logger

log = get_logger(__name__)

#: Time after the grace period to kill renders and settle their jobs: two calls of a Redis that
#: hangs.
LEEWAY_SECONDS = 15.0


class Shutdown(Middleware):
    """Drains the slots on SIGTERM and starts the grace period.

    Replaces Dramatiq's ShutdownNotifications. Running actors watch a child process and call
    :meth:`expired` themselves, so no asynchronous exception has to be raised in their threads.

    A second SIGTERM would make Dramatiq's worker exit at once, which costs its jobs a lease and a
    start. Terminals, process groups and service managers often send more than one, so all but the
    first are ignored until the worker is overdue.

    Hooks: after process boot, before worker boot, before worker shutdown, before process.
    Order: third, outside all middleware that begins a job.

    Args:
        slots: The slots to drain.
        grace_seconds: How long running attempts may continue.
    """

    def __init__(self, slots: Slots, *, grace_seconds: float) -> None:
        self._slots = slots
        self._grace = grace_seconds
        self._deadline: float | None = None
        self._signalled = False
        self.requested = threading.Event()

    def after_process_boot(self, broker: Broker) -> None:
        """Pass only the first signal on to Dramatiq. Called in worker processes only."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            handler = signal.getsignal(number)
            if callable(handler):
                signal.signal(number, self._patient(handler))

    def _patient(
        self, handler: Callable[[int, FrameType | None], Any]
    ) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            if not self._signalled or self._overdue():
                self._signalled = True
                handler(number, frame)

        return handle

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Adjust the slots to the number of threads."""
        self._slots.resize(worker.worker_threads)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Claim no more jobs. Running attempts have the grace period."""
        self._deadline = time.monotonic() + self._grace
        self._slots.drain()
        self.requested.set()
        log.info("worker.draining", graceSeconds=self._grace)

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Give back a message that was claimed before the shutdown and has not begun.

        Raises:
            SkipMessage: The worker is shutting down.
        """
        if self.requested.is_set():
            claimed(message).verdict = Verdict("released")
            raise SkipMessage("the worker is shutting down")

    def expired(self) -> bool:
        """Return whether the grace period is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _overdue(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline + LEEWAY_SECONDS
