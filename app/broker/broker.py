"""A Dramatiq broker on top of the job ledger.

Dramatiq's Redis broker has queues, acknowledgements and retries of its own
(``docs/architecture.md`` says what it loses). Here every message is a job in the ledger, and the
broker only passes it between Dramatiq and the ledger.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dramatiq import Broker, Message, Middleware
from dramatiq.broker import Consumer
from dramatiq.errors import QueueJoinTimeout

from app.broker.consumer import ConsumerIdentity, LedgerConsumer
from app.broker.messages import admission_of
from app.broker.signs import ConsumerSign
from app.broker.slots import Slots
from app.errors import JobConflict, QueueFull
from app.ledger import Ledger, Recovered


class LedgerBroker(Broker):
    """Passes messages between actors and the ledgers of their queues.

    Args:
        ledger_of: Returns the ledger of a queue.
        slots: Limits the messages that this process runs at once.
        limits: Most live jobs per queue, for queues with a limit.
        max_attempts: Most attempts of a message.
        track: ``stable``, ``canary`` or ``staging``.
        middleware: All middleware, outermost first.
        signs: Directory for the consumers' signs of life, None for none.
        on_outside: Called with the queue and outcome of each job that reaches no middleware,
            because its worker died or its message cannot be decoded.
    """

    def __init__(
        self,
        *,
        ledger_of: Callable[[str], Ledger],
        slots: Slots,
        limits: dict[str, int],
        max_attempts: int,
        track: str,
        middleware: Sequence[Middleware],
        signs: Path | None = None,
        on_outside: Callable[[str, Recovered], None] = lambda _queue, _job: None,
    ) -> None:
        super().__init__(middleware=list(middleware))
        self.queues: dict[str, Ledger] = {}
        self.slots = slots
        self._ledger_of = ledger_of
        self._limits = limits
        self._max_attempts = max_attempts
        self._track = track
        self._signs = signs
        self._on_outside = on_outside
        self._identities: dict[str, ConsumerIdentity] = {}

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue. There is no delay queue: the ledger holds delayed messages."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = self._ledger_of(queue_name)
            self.emit_after("declare_queue", queue_name)

    def get_declared_queues(self) -> set[str]:
        """Return the names of all declared queues."""
        return set(self.queues)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:  # noqa: ARG002 - slots decide, not Dramatiq's prefetch
        """Return a consumer of a queue; ``timeout`` in milliseconds."""
        identity = self._identities.get(queue_name)
        if identity is None:
            sign = ConsumerSign(self._signs, queue_name)
            identity = self._identities[queue_name] = ConsumerIdentity(track=self._track, sign=sign)
        return LedgerConsumer(
            ledger=self.queues[queue_name],
            slots=self.slots,
            identity=identity,
            timeout_seconds=timeout / 1000,
            knows_actor=self.actors.__contains__,
            on_outside=functools.partial(self._on_outside, queue_name),
        )

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Admit a message as a job; ``delay`` in milliseconds.

        Raises:
            JobConflict: The job exists with a different payload.
            QueueFull: The queue has reached its limit of live jobs.
            BrokerUnavailable: Redis is unreachable.
        """
        self.emit_before("enqueue", message, delay)
        job = admission_of(
            message, max_attempts=self._max_attempts, track=self._track, delay_ms=delay or 0
        )
        limit = self._limits.get(message.queue_name)
        outcome = self.queues[message.queue_name].admit(job, limit=limit)
        if outcome == "conflict":
            raise JobConflict(f"The job {job.job_id!r} exists with a different payload.")
        if outcome == "full":
            raise QueueFull(f"The queue has reached its limit of {limit} live jobs.")
        self.emit_after("enqueue", message, delay)
        return message

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        """Wait until a queue has no live jobs; ``timeout`` in milliseconds.

        Raises:
            QueueJoinTimeout: The queue still has live jobs.
        """
        deadline = None if timeout is None else time.monotonic() + timeout / 1000
        while self.queues[queue_name].stats().depth:
            if deadline is not None and time.monotonic() > deadline:
                raise QueueJoinTimeout(queue_name)  # type: ignore[no-untyped-call]  # upstream
            time.sleep(0.02)

    def flush(self, queue_name: str) -> None:
        """Always raise: flushing would drop accepted jobs."""
        raise PermissionError(f"{queue_name}: accepted jobs are never dropped; cancel them instead")

    def flush_all(self) -> None:
        """Always raise, as :meth:`flush` does."""
        self.flush("all queues")
