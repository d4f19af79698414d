"""Puts a worker together from its settings: ledgers, middleware, broker, actors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dramatiq
from dramatiq.middleware import CurrentMessage, Middleware
from periodiq import PeriodiqMiddleware, cron

from app.actors.monitor import serve
from app.actors.render_preview import PreviewRenderer
from app.actors.scheduler_tick import SchedulerTick
from app.broker import RENDER_ACTOR, LedgerBroker, Slots
from app.contract import Contract, load_contract
from app.errors import PreviewError
from app.ledger import Ledger, connect
from app.metrics import Metrics
from app.middleware import (
    DryRun,
    Idempotency,
    JobMetrics,
    LogContext,
    Probes,
    Settlement,
    Shutdown,
    Validation,
    WarmUp,
)
from app.render import warm_up
from app.render.plan import plan
from app.settings import Settings
from app.storage import ArtifactStore

#: Cron tasks have a queue of their own: renders never delay them, nor they renders.
CRON_SUFFIX = ".cron"
#: periodiq drops ticks that are older; a worker may be away for a deploy.
TICK_MAX_AGE_SECONDS = 600
#: Dramatiq's default; the true number of threads is learnt at boot.
DEFAULT_THREADS = 8


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker process is made of."""

    settings: Settings
    metrics: Metrics
    ledger: Ledger
    broker: LedgerBroker


def _plan_of(contract: Contract) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Plan a dry run, and name what a live job of this payload would be refused for."""

    def plan_with_refusals(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        unsupported = contract.unsupported(dict(payload))
        refusals = [f"{item.pointer}: {item.detail}" for item in unsupported]
        planned = plan(payload)
        return {**planned, "warnings": [*planned["warnings"], *refusals]}

    return plan_with_refusals


def _middleware(
    settings: Settings, metrics: Metrics, shutdown: Shutdown, contract: Contract
) -> list[Middleware]:
    """Return all middleware, outermost first.

    Before-hooks run in this order, after-hooks in reverse.
    """
    return [
        JobMetrics(metrics),  # sees the settled outcome
        LogContext(),  # its last line carries the outcome
        shutdown,
        CurrentMessage(),  # the actor asks for its job
        Settlement(
            shutdown,
            base_seconds=settings.preview_retry_base_seconds,
            cap_seconds=settings.preview_retry_max_seconds,
        ),
        PeriodiqMiddleware(skip_delay=TICK_MAX_AGE_SECONDS),
        Validation(contract),  # a bad payload costs no start
        Idempotency(metrics),  # begins the job
        DryRun(_plan_of(contract)),  # answers instead of the actor
        WarmUp(warm_up),  # no hook on messages
        Probes(serve),  # no hook on messages
    ]


def build_worker(settings: Settings, metrics: Metrics) -> WorkerParts:
    """Build a broker with all middleware and actors; connects to nothing yet."""
    client = connect(settings)
    queue, cron_queue = settings.preview_queue_name, settings.preview_queue_name + CRON_SUFFIX

    @functools.cache
    def ledger_of(name: str) -> Ledger:
        return Ledger(
            client,
            queue=name,
            lease_seconds=settings.preview_lease_seconds,
            max_starts=settings.preview_max_starts,
            retain=name == queue,
        )

    contract = load_contract()
    slots = Slots(
        limits={queue: settings.preview_worker_concurrency, cron_queue: 1},
        threads=DEFAULT_THREADS,
    )
    shutdown = Shutdown(slots, grace_seconds=settings.preview_shutdown_grace_seconds)
    broker = LedgerBroker(
        ledger_of=ledger_of,
        slots=slots,
        limits={queue: settings.preview_queue_max},
        max_attempts=settings.preview_max_attempts,
        track=settings.preview_track,
        on_ended=lambda name, outcome: metrics.ended_outside(outcome) if name == queue else None,
        middleware=_middleware(settings, metrics, shutdown, contract),
    )
    renderer = PreviewRenderer(
        settings=settings, store=ArtifactStore(settings.artifact_url), shutdown=shutdown
    )
    dramatiq.actor(
        actor_name=RENDER_ACTOR,
        queue_name=queue,
        broker=broker,
        throws=PreviewError,  # told by LogContext; Dramatiq need not add a traceback
    )(renderer)
    dramatiq.actor(
        actor_name="scheduler_tick",
        queue_name=cron_queue,
        broker=broker,
        periodic=cron("* * * * *"),
    )(SchedulerTick(ledger_of(queue)))
    return WorkerParts(settings, metrics, ledger_of(queue), broker)
