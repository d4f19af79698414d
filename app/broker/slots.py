"""Slots: how many messages a worker process holds at once.

A consumer takes a message only when it may run at once: what it does not hold,
an idle worker elsewhere can take.
"""

from __future__ import annotations

import threading
from collections import Counter


class Slots:
    """Counts running messages, by queue and in all. Thread-safe.

    Args:
        limits: Most messages of a queue at once.
        threads: Most messages of all queues at once: the worker's threads.
    """

    def __init__(self, *, limits: dict[str, int], threads: int) -> None:
        self._limits = dict(limits)
        self._threads = threads
        self._busy: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._draining = False

    def resize(self, threads: int) -> None:
        """Say how many threads the worker really has."""
        with self._changed:
            self._threads = threads
            self._changed.notify_all()

    def limit(self, queue: str) -> int:
        """Return how many messages of ``queue`` may run at once."""
        with self._changed:
            return min(self._limits.get(queue, 1), self._threads)

    def busy(self, queue: str) -> int:
        """Return how many messages of ``queue`` are running."""
        with self._changed:
            return self._busy[queue]

    @property
    def draining(self) -> bool:
        """Whether the worker is shutting down and takes nothing more."""
        with self._changed:
            return self._draining

    def _free(self, queue: str) -> bool:
        return self._busy[queue] < self._limits.get(queue, 1) and self._busy.total() < self._threads

    def wait_free(self, queue: str, *, timeout_seconds: float) -> bool:
        """Wait for a free slot; False when none came free in time or the worker drains.

        Nothing is reserved: a queue has one consumer in a process, so its limit
        holds. Consumers of two queues may both see the last free thread; then
        one message waits a moment for a thread.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._free(queue) or self._draining, timeout=timeout_seconds
            )
            return self._free(queue) and not self._draining

    def take(self, queue: str) -> None:
        """Take a slot that :meth:`wait_free` has found free."""
        with self._changed:
            self._busy[queue] += 1

    def release(self, queue: str) -> None:
        """Give a slot back and wake whoever waits for one."""
        with self._changed:
            self._busy[queue] -= 1
            self._changed.notify_all()

    def drain(self) -> None:
        """Let nobody take a slot any more."""
        with self._changed:
            self._draining = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Sleep, but not past the beginning of a shutdown."""
        with self._changed:
            self._changed.wait_for(lambda: self._draining, timeout=seconds)
