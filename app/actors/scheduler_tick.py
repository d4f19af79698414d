"""The scheduler's sign of life: one tick a minute, whoever schedules it."""

from __future__ import annotations

from app.ledger import Ledger
from app.logs import get_logger

log = get_logger(__name__)

#: Name under which the tick is recorded.
TICK = "scheduler"


class SchedulerTick:
    """Records that the scheduler is alive (``preview_scheduler_last_tick_seconds``).

    Args:
        ledger: The ledger of the preview queue.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self) -> None:
        """Record a tick; a second one in the same minute changes nothing."""
        if not self._ledger.record_tick(TICK):
            log.info("tick.duplicate")
