"""LogContext: every log line of an attempt names its job."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker
from dramatiq.broker import MessageProxy

from app.broker import ClaimedMessage, claimed
from app.logs import bind, get_logger, unbind_all
from app.middleware.attempts import AttemptEnd

log = get_logger(__name__)


class LogContext(AttemptEnd):
    """Binds the job's names to the thread, and logs the end of each attempt.

    Hooks: before process, end of attempt. Order: second, so that its last line still has the
    job's names and knows the outcome.

    Args:
        track: Track of this worker, a field of every line.
    """

    def __init__(self, *, track: str) -> None:
        self._track = track

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Bind the names of the actor, track and job."""
        job = claimed(message)
        unbind_all()
        bind(actor=job.actor_name, track=self._track, **job.names)

    def ended(self, job: ClaimedMessage) -> None:
        """Log the outcome, and why an attempt failed."""
        fields: dict[str, Any] = {
            "outcome": job.outcome or "unsettled",
            "attempt": job.attempt,
            "durationMs": round(1000 * job.elapsed_seconds, 1),
        }
        error = job.error
        if error is not None:
            fields |= {"code": error.code, "detail": error.detail}
            traceback = getattr(error, "child_traceback", None)
            if traceback:
                fields["childTraceback"] = traceback
            if error.__cause__ is not None:
                fields["exc_info"] = error  # the cause, which clients do not see
        emit = log.warning if error else log.info
        emit("attempt.ended", **fields)
        unbind_all()
