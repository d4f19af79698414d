"""WarmUp: what the first job would have to wait for is done at boot."""

from __future__ import annotations

from collections.abc import Callable

from dramatiq import Broker, Middleware, Worker


class WarmUp(Middleware):
    """Prepares a worker process: the first job starts as fast as the second.

    Hooks: after worker boot (in the process that renders, after it was forked).
    Order: any; it has no hook on messages.

    Args:
        prepare: What to do.
    """

    def __init__(self, prepare: Callable[[], None]) -> None:
        self._prepare = prepare

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Prepare."""
        self._prepare()
