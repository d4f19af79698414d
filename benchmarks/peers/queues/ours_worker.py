"""Our worker with empty jobs, and one more middleware that writes the start down."""

from __future__ import annotations

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy

from app.actors import broker
from app.broker import claimed
from benchmarks.empty_jobs import Empty
from benchmarks.peers.queues.stamps import stamp


class Started(Middleware):
    """Stands where the others' jobs start: the payload is checked, the job has begun."""

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Write the start down."""
        job = claimed(message)
        if job.renders:
            stamp(job.payload)


broker.add_middleware(Started(), before=Empty)
