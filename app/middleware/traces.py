"""Traces: a span for each attempt, in the trace of the request that submitted the job."""

from __future__ import annotations

from dramatiq import Broker, Worker
from dramatiq.broker import MessageProxy

from app.broker import ClaimedMessage, claimed
from app.middleware.attempts import AttemptEnd
from app.tracing import Tracing


class Traces(AttemptEnd):
    """Records attempts of preview jobs and the time that each has waited.

    Hooks: before process, end of attempt, after worker shutdown. Order: inside LogContext. It
    reads the outcome that Settlement recorded.

    Args:
        tracing: Records the spans.
    """

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
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

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Send the remaining spans."""
        self._tracing.close()

    def ended(self, job: ClaimedMessage) -> None:
        """End the attempt's span."""
        outcome = job.outcome or "unsettled"
        error = job.error.code if job.error else ""
        job.span.end(error=error, attributes={"preview.outcome": outcome})
