"""Slots: limit the messages that a worker process holds at once.

A consumer claims a message only when it can run immediately, so that other workers can claim the
rest.
"""

from __future__ import annotations

import threading
from collections import Counter


class Slots:
    """Counts running messages, per queue and in total. Thread-safe.

    Args:
        limits: Most running messages per queue.
        threads: Most running messages in total: the number of worker threads.
    """

    def __init__(self, *, limits: dict[str, int], threads: int) -> None:
        self._limits = dict(limits)
        self._threads = threads
        self._busy: Counter[str] = Counter()
        self._resting: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._draining = False

    def resize(self, threads: int) -> None:
        """Set the number of worker threads."""
        with self._changed:
            self._threads = threads
            self._changed.notify_all()

    def limit(self, queue: str) -> int:
        """Return the most messages of ``queue`` that may run at once."""
        with self._changed:
            return min(self._limits.get(queue, 1), self._threads)

    def busy(self, queue: str) -> int:
        """Return how many messages of ``queue`` are running."""
        with self._changed:
            return self._busy[queue]

    def resting(self, queue: str) -> int:
        """Return how many of these have ended, and keep their slots for a while."""
        with self._changed:
            return self._resting[queue]

    @property
    def draining(self) -> bool:
        """Whether the worker is shutting down and claims nothing more."""
        with self._changed:
            return self._draining

    def _free(self, queue: str) -> bool:
        return self._busy[queue] < self._limits.get(queue, 1) and self._busy.total() < self._threads

    def wait_free(self, queue: str, *, timeout_seconds: float) -> bool:
        """Wait for a free slot; return False on timeout or when the worker drains.

        The slot is not reserved. A queue has one consumer per process, so its limit still holds.
        Consumers of two queues may both see the last free thread; then one message waits a moment
        for a thread.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._free(queue) or self._draining, timeout=timeout_seconds
            )
            return self._free(queue) and not self._draining

    def take(self, queue: str) -> None:
        """Take a slot that :meth:`wait_free` found."""
        with self._changed:
            self._busy[queue] += 1

    def release(self, queue: str) -> None:
        """Release a slot and wake waiting threads."""
        with self._changed:
            self._busy[queue] -= 1
            self._changed.notify_all()

    def drain(self) -> None:
        """Start draining: :meth:`wait_free` returns False from now on."""
        with self._changed:
            self._draining = True
            self._changed.notify_all()

    def rest(self, queue: str, seconds: float) -> None:
        """Keep the slot of a message that has ended, but not past the beginning of a shutdown."""
        with self._changed:
            self._resting[queue] += 1
            self._changed.wait_for(lambda: self._draining, timeout=seconds)
            self._resting[queue] -= 1

    def pause(self, seconds: float) -> None:
        """Sleep, until a shutdown begins at the latest."""
        with self._changed:
            self._changed.wait_for(lambda: self._draining, timeout=seconds)
