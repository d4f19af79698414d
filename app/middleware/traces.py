"""Traces: a span for each attempt, which goes on from the request that sent the job."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker, Middleware, Worker
from dramatiq.broker import MessageProxy

from app.broker import ClaimedMessage, claimed
from app.tracing import Tracing


class Traces(Middleware):
    """Records attempts of preview jobs, with the time that each had waited.

    Hooks: before process, after process, after skip, after worker shutdown. Order:
    inside of LogContext; it reads the outcome that Settlement has left.

    Args:
        tracing: Where to record.
    """

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Begin the attempt's span."""
        job = claimed(message)
        if not job.renders:
            return
        names = {f"preview.{name}": value for name, value in job.names.items()}
        job.span = self._tracing.begin(
            job.actor_name,
            kind="consumer",
            traceparent=str(message.options.get("traceparent", "")),
            waited_seconds=job.waited_seconds,
            attributes={**names, "preview.attempt": job.attempt},
        )

    def after_process_message(
        self,
        broker: Broker,  # noqa: ARG002 - Dramatiq's signature
        message: MessageProxy,
        *,
        result: Any | None = None,  # noqa: ARG002 - Dramatiq's signature
        exception: BaseException | None = None,  # noqa: ARG002 - Settlement has judged it
    ) -> None:
        """End it with what the attempt came to."""
        self._end(claimed(message))

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - Dramatiq's signature
        """End it: the message was answered or refused without being run."""
        self._end(claimed(message))

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Send what is still held back."""
        self._tracing.close()

    def _end(self, job: ClaimedMessage) -> None:
        outcome = job.outcome or "unsettled"
        error = job.error.code if job.error else ""
        job.span.end(error=error, attributes={"preview.outcome": outcome})
