"""Our worker as it is, but a job without steps comes to nothing: the pipeline alone is measured."""

from __future__ import annotations

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from app.actors import broker
from app.broker import Verdict, claimed
from app.middleware import DryRun


class Empty(Middleware):
    """Completes a job without steps where others are planned or rendered in a child process."""

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Complete an empty job.

        Raises:
            SkipMessage: It was one.
        """
        job = claimed(message)
        if job.renders and not job.payload["previewRequest"]["steps"]:
            job.verdict = Verdict("completed")
            raise SkipMessage("an empty job")


broker.add_middleware(Empty(), before=DryRun)
