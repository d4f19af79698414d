"""The cron task that replays transient failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dramatiq.middleware import CurrentMessage

from app.broker import claimed
from app.client import PreviewClient
from app.logs import get_logger

log = get_logger(__name__)

#: Name of the tick.
TICK: Final = "replay"
#: Most jobs per run, so that a persistent cause wastes few attempts.
BATCH: Final = 10
#: Length of the window in which ended jobs are counted, in seconds.
WINDOW_SECONDS: Final = 900.0
#: Fewer failures in the window never hold a replay back.
MIN_FAILURES: Final = 5
#: A higher share of failures in the window holds a replay back: the cause seems to persist.
MAX_FAILURE_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class ReplayDeadLetters:
    """Replays transient dead letters, the oldest first, each at most twice.

    Waits while most jobs fail, and uses at most half of the queue.

    Attributes:
        client: The preview queue.
        queue_max: Most live jobs (``PREVIEW_QUEUE_MAX``).
    """

    client: PreviewClient
    queue_max: int

    def __call__(self) -> None:
        """Replay a batch. With several schedulers, one of them does it."""
        job = claimed(CurrentMessage.get_current_message())
        if not self.client.ledger.record_tick(TICK, token=job.message_id):
            log.info("tick.duplicate")
            return
        letters = self.client.ledger.archive.transient(BATCH)
        if not letters:
            return
        completed, failed = self.client.ledger.archive.ended_since(WINDOW_SECONDS)
        if failed >= MIN_FAILURES and failed > MAX_FAILURE_SHARE * (completed + failed):
            log.warning("replay.held", reason="failure rate", failed=failed, completed=completed)
            return
        depth = self.client.queue().depth
        room = self.queue_max // 2 - depth
        if room <= 0:
            log.warning("replay.held", reason="queue", depth=depth, max=self.queue_max)
            return
        report = self.client.dead_letters.replay(letters[:room])
        log.info("replay.done", replayed=report.replayed, skipped=report.skipped)
