"""AttemptEnd: one hook for the end of a message, whether its actor ran or not."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy

from app.broker import ClaimedMessage, claimed


class AttemptEnd(Middleware):
    """Base of middleware that reports on a message once Settlement has settled it.

    Dramatiq calls one of two hooks for each message: after process, with the actor's result or
    exception, or after skip. Both end up in :meth:`ended`, because the outcome is the ledger's
    answer, which the message carries.
    """

    def ended(self, job: ClaimedMessage) -> None:
        """Handle the end of a message. Subclasses override this method."""
        raise NotImplementedError

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any | None = None,
        exception: BaseException | None = None,
    ) -> None:
        """The actor ran."""
        self.ended(claimed(message))

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        """A middleware skipped the message."""
        self.ended(claimed(message))
