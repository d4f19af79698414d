"""A worker of the real broker with actors that a test names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq import Worker
from dramatiq.middleware import CurrentMessage

from app.broker import ClaimedMessage, LedgerBroker, Slots, Verdict
from app.contract import load_contract
from app.ledger import Ledger
from app.metrics import Metrics
from app.middleware import (
    DryRun,
    Idempotency,
    JobMetrics,
    LogContext,
    Settlement,
    Shutdown,
    Validation,
)
from app.settings import Settings


@dataclass
class Rig:
    """A broker, its only queue's ledger, its metrics, and a worker to start."""

    broker: LedgerBroker
    ledger: Ledger
    metrics: Metrics
    slots: Slots
    shutdown: Shutdown
    worker: Worker

    def actor(
        self, function: Callable[..., Any], name: str = "render_preview"
    ) -> dramatiq.Actor[Any, Any]:
        """Declare an actor on the queue."""
        return dramatiq.actor(actor_name=name, queue_name=self.ledger.queue, broker=self.broker)(
            function
        )

    def counted(self, name: str) -> float:
        """Read a counter of this process."""
        counter = getattr(self.metrics, name)
        return float(counter._value.get())


def count_steps(job: ClaimedMessage) -> None:
    """Plan nothing, and answer as a planner does."""
    plan = {"steps": len(job.payload["previewRequest"]["steps"])}
    job.verdict = Verdict("completed", fields={"plan": plan})


@pytest.fixture
def rig(settings: Settings, client: redis.Redis, ledger: Ledger) -> Iterator[Rig]:
    """A worker with two render slots and short backoffs; stopped at the end."""
    metrics = Metrics(track="stable")
    slots = Slots(limits={ledger.queue: 2}, threads=8)
    shutdown = Shutdown(slots, grace_seconds=0.5)
    broker = LedgerBroker(
        ledger_of=lambda _name: ledger,
        slots=slots,
        limits={ledger.queue: 20},
        max_attempts=3,
        track="stable",
        on_outside=lambda _queue, job: metrics.ended_outside(
            job.outcome, lost_track=job.lost_track
        ),
        middleware=[
            JobMetrics(metrics),
            LogContext(track="stable"),
            shutdown,
            CurrentMessage(),
            Settlement(shutdown, base_seconds=0.05, cap_seconds=0.1),
            Validation(load_contract()),
            Idempotency(metrics),
            DryRun(count_steps),
        ],
    )
    worker = Worker(broker, worker_threads=4, worker_timeout=200)
    yield Rig(broker, ledger, metrics, slots, shutdown, worker)
    if not shutdown.requested.is_set():
        worker.stop()
    broker.close()
