"""WarmUp: does at boot what the first job would otherwise wait for."""

from __future__ import annotations

from collections.abc import Callable

from dramatiq import Broker, Middleware, Worker


class WarmUp(Middleware):
    """Prepares a worker process, so that its first job starts as fast as the second.

    Hooks: after worker boot (in the forked worker process). Order: any; it has no message hooks.

    Args:
        prepare: Function to call.
    """

    def __init__(self, prepare: Callable[[], None]) -> None:
        self._prepare = prepare

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Call ``prepare``."""
        self._prepare()
