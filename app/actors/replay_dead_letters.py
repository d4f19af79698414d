"""The cron task that gives transient failures another chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dramatiq.middleware import CurrentMessage

from app.broker import claimed
from app.client import PreviewClient
from app.logs import get_logger

log = get_logger(__name__)

#: Name under which the tick is recorded.
TICK: Final = "replay"
#: Most jobs that one tick replays: a cause that lasts costs few attempts.
BATCH: Final = 10
#: How far back ended jobs are looked at, in seconds.
WINDOW_SECONDS: Final = 900.0
#: Failures in the window below which their share says nothing.
MIN_FAILURES: Final = 5
#: Share of failures among ended jobs above which their cause is taken to last.
MAX_FAILURE_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class ReplayDeadLetters:
    """Replays transient dead letters, the oldest first, none more than twice.

    It holds back while most jobs fail, and leaves half of the queue to authors.

    Attributes:
        client: The preview queue.
        queue_max: Most live jobs (``PREVIEW_QUEUE_MAX``).
    """

    client: PreviewClient
    queue_max: int

    def __call__(self) -> None:
        """Replay a batch; the ticks of several schedulers count as one."""
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
