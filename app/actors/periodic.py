"""Cron tasks: actors whose messages periodiq's scheduler sends."""

from __future__ import annotations

from typing import Any

import dramatiq
from dramatiq import Message

from app.errors import BrokerUnavailable
from app.logs import get_logger

log = get_logger(__name__)


class PeriodicActor(dramatiq.Actor[[], None]):
    """An actor that misses a run while Redis is away, rather than end its scheduler.

    periodiq ends with the first message that it cannot send, and the supervisor that starts it
    again gives up after a while: an outage would end all cron tasks for good.
    """

    def send_with_options(self, **options: Any) -> Message[None]:
        """Send a message, as Dramatiq's own actors do; one of the scheduler may get lost.

        Raises:
            BrokerUnavailable: Redis is away, and it is not the scheduler who sends.
        """
        try:
            return super().send_with_options(**options)
        except BrokerUnavailable as error:
            if "scheduled_at" not in options:  # which periodiq alone says
                raise
            log.warning("scheduler.run-missed", actor=self.actor_name, detail=error.detail)
            return self.message_with_options(**options)
