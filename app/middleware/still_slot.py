"""StillSlot: a thread of the worker draws stills, whatever its render slots do."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dramatiq import Broker, Middleware, Worker


class StillSlot(Middleware):
    """Draws stills from the worker's boot to its shutdown.

    Stills share no slot with renders, so a worker that renders answers as soon as an idle one.

    Hooks: after worker boot (in the forked worker process), before and after worker shutdown.
    Order: any; it has no message hooks.

    Args:
        serve: Draws stills until the event is set, at most a second and one still longer.
    """

    def __init__(self, serve: Callable[[threading.Event], None]) -> None:
        self._serve = serve
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Start to draw stills."""
        self._ended.clear()
        self._thread = threading.Thread(
            target=self._serve, args=(self._ended,), name="still-slot", daemon=True
        )
        self._thread.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Take no more requests."""
        self._ended.set()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Wait for the still that is being drawn."""
        if self._thread is not None:
            self._thread.join()
