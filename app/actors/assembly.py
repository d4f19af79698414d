"""Puts a worker together from its settings: ledgers, middleware, broker, actors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dramatiq
from dramatiq.middleware import CurrentMessage, Middleware
from periodiq import PeriodiqMiddleware, cron

from app.actors.draw_stills import StillPainter
from app.actors.monitor import serve
from app.actors.periodic import PeriodicActor
from app.actors.plan_preview import PreviewPlanner
from app.actors.render_preview import PreviewRenderer
from app.actors.replay_dead_letters import ReplayDeadLetters
from app.actors.scheduler_tick import SchedulerTick
from app.actors.supervision import Supervision
from app.actors.sweep import SweepOrphans, SweepResults
from app.assets import AssetCache, AssetFetcher
from app.broker import RENDER_ACTOR, LedgerBroker, Slots
from app.client import PreviewClient
from app.contract import Contract, RemoteAssets, load_contract
from app.errors import PreviewError
from app.ledger import Ledger, Recovered, Retention, connect
from app.metrics import Metrics
from app.middleware import (
    Cooldown,
    DryRun,
    Idempotency,
    JobMetrics,
    LogContext,
    Orphanage,
    Probes,
    Settlement,
    Shutdown,
    StillSlot,
    Traces,
    Validation,
    WarmUp,
)
from app.render import warm_up
from app.render.renderers import STORYBOARD, renderer_target
from app.settings import Settings
from app.storage import ArtifactStore
from app.tracing import Tracing

#: Cron tasks have a queue of their own: renders never delay them, nor they renders.
CRON_SUFFIX = ".cron"
#: Sweeping may take minutes: it delays neither of the two.
SWEEP_SUFFIX = ".sweep"
#: When expired results are swept, and when orphaned files are.
SWEEP_RESULTS_CRON = "*/5 * * * *"
SWEEP_ORPHANS_CRON = "17 * * * *"
#: periodiq drops ticks that are older; a worker may be away for a deploy.
TICK_MAX_AGE_SECONDS = 600
#: Seconds.
HOUR = 3600.0
#: Dramatiq's default; the true number of threads is learnt at boot.
DEFAULT_THREADS = 8


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker process is made of."""

    settings: Settings
    metrics: Metrics
    ledger: Ledger
    broker: LedgerBroker


def _middleware(
    settings: Settings,
    metrics: Metrics,
    *,
    slots: Slots,
    shutdown: Shutdown,
    contract: Contract,
    tracing: Tracing,
    painter: StillPainter | None,
) -> list[Middleware]:
    """Return all middleware, outermost first.

    Before-hooks run in this order, after-hooks in reverse.
    """
    return [
        # Rests when all else is done.
        Cooldown(slots, longest_seconds=settings.preview_fault_cooldown_seconds),
        JobMetrics(metrics),  # sees the settled outcome
        LogContext(track=settings.preview_track),  # its last line carries the outcome
        *([Traces(tracing)] if tracing.on else []),  # ends a span with the outcome
        shutdown,
        CurrentMessage(),  # the actor asks for its job
        Settlement(
            shutdown,
            base_seconds=settings.preview_retry_base_seconds,
            cap_seconds=settings.preview_retry_max_seconds,
        ),
        PeriodiqMiddleware(skip_delay=TICK_MAX_AGE_SECONDS),
        Validation(contract),  # a bad payload is never run
        Idempotency(metrics),  # only the holder of the claim goes on
        DryRun(PreviewPlanner(Supervision(settings, shutdown), contract)),  # answers instead
        Orphanage(),  # hears of the boot when all is prepared
        WarmUp(warm_up),  # no hook on messages
        *([StillSlot(painter)] if painter else []),  # no hook on messages
        Probes(serve),  # no hook on messages
    ]


def build_worker(
    settings: Settings,
    metrics: Metrics,
    *,
    signs: Path | None = None,
    fetcher: AssetFetcher | None = None,
    tracing: Tracing | None = None,
) -> WorkerParts:
    """Build a broker with all middleware and actors; connects to nothing yet.

    Args:
        settings: All of them.
        metrics: Where this process counts.
        signs: Where its consumers leave signs of life for the probes, None for nowhere.
        fetcher: Brings remote assets here; by default as the settings say.
        tracing: Where attempts are recorded, None for nowhere.

    Raises:
        SettingsError: The replay's schedule is none that periodiq can follow, or the
            renderer is not installed.
    """
    queue = settings.preview_queue_name
    ledger_of = _ledgers(settings)
    contract = load_contract(remote=RemoteAssets.of(settings))
    slots = Slots(
        limits={
            queue: settings.preview_worker_concurrency,
            queue + CRON_SUFFIX: 1,
            queue + SWEEP_SUFFIX: 1,
        },
        threads=DEFAULT_THREADS,
    )
    shutdown = Shutdown(slots, grace_seconds=settings.preview_shutdown_grace_seconds)
    fetcher = fetcher or _fetcher(settings)
    target = renderer_target(settings.preview_renderer)
    # A still shows what the built-in renderer draws; of another one nothing is known.
    draws = target == STORYBOARD
    painter = StillPainter(ledger_of(queue).stills, settings, fetcher, shutdown) if draws else None
    broker = LedgerBroker(
        ledger_of=ledger_of,
        slots=slots,
        limits={queue: settings.preview_queue_max},
        max_attempts=settings.preview_max_attempts,
        track=settings.preview_track,
        signs=signs,
        on_outside=_counting(metrics, queue),
        middleware=_middleware(
            settings,
            metrics,
            slots=slots,
            shutdown=shutdown,
            contract=contract,
            tracing=tracing or Tracing(),
            painter=painter,
        ),
    )
    parts = WorkerParts(settings, metrics, ledger_of(queue), broker)
    store = ArtifactStore(settings.artifact_url)
    renderer = PreviewRenderer(
        supervision=Supervision(settings, shutdown),
        store=store,
        fetcher=fetcher,
        metrics=metrics,
        target=target,
    )
    # LogContext logs its exceptions; Dramatiq need not add a traceback.
    dramatiq.actor(actor_name=RENDER_ACTOR, queue_name=queue, broker=broker, throws=PreviewError)(
        renderer
    )
    _declare_cron(parts, contract)
    _declare_sweeps(parts, store, shutdown)
    return parts


def _ledgers(settings: Settings) -> Callable[[str], Ledger]:
    """Return what makes the ledger of a queue: only that of previews keeps what has ended."""
    client = connect(settings)

    @functools.cache
    def ledger_of(name: str) -> Ledger:
        return Ledger(
            client,
            queue=name,
            lease_seconds=settings.preview_lease_seconds,
            max_starts=settings.preview_max_starts,
            retain=name == settings.preview_queue_name,
        )

    return ledger_of


def _counting(metrics: Metrics, queue: str) -> Callable[[str, Recovered], None]:
    """Return what counts jobs that pass no middleware; those of cron tasks are not counted."""

    def count(name: str, job: Recovered) -> None:
        if name == queue:
            metrics.ended_outside(job.outcome, lost_track=job.lost_track)

    return count


def _fetcher(settings: Settings) -> AssetFetcher:
    megabytes = settings.preview_asset_cache_mb
    cache = AssetCache(settings.asset_cache, max_bytes=megabytes * 1024 * 1024)
    return AssetFetcher(RemoteAssets.of(settings), cache)


def _declare_cron(parts: WorkerParts, contract: Contract) -> None:
    """Declare the cron tasks that take milliseconds."""
    settings, ledger = parts.settings, parts.ledger
    client = PreviewClient(
        ledger,
        contract=contract,
        metrics=parts.metrics,
        queue_max=settings.preview_queue_max,
        max_attempts=settings.preview_max_attempts,
    )
    replay = ReplayDeadLetters(client, queue_max=settings.preview_queue_max)
    declare = functools.partial(
        dramatiq.actor,
        actor_class=PeriodicActor,
        queue_name=ledger.queue + CRON_SUFFIX,
        broker=parts.broker,
        throws=PreviewError,
    )
    declare(actor_name="scheduler_tick", periodic=cron("* * * * *"))(SchedulerTick(ledger))
    times = settings.preview_dlq_replay_cron
    schedule = {} if times == "never" else {"periodic": cron(times)}
    declare(actor_name="replay_dead_letters", **schedule)(replay)


def _declare_sweeps(parts: WorkerParts, store: ArtifactStore, shutdown: Shutdown) -> None:
    """Declare the cron tasks that delete."""
    settings, ledger = parts.settings, parts.ledger
    retention = Retention(
        result_seconds=settings.preview_result_ttl_hours * HOUR,
        record_seconds=settings.preview_record_ttl_days * 24 * HOUR,
        dead_letter_seconds=settings.preview_dlq_ttl_days * 24 * HOUR,
        dead_letters=settings.preview_dlq_max,
    )
    results = SweepResults(ledger, store, retention, parts.metrics, shutdown)
    declare = functools.partial(
        dramatiq.actor,
        actor_class=PeriodicActor,
        queue_name=ledger.queue + SWEEP_SUFFIX,
        broker=parts.broker,
        throws=PreviewError,
    )
    declare(actor_name="sweep_results", periodic=cron(SWEEP_RESULTS_CRON))(results)
    orphans = SweepOrphans(ledger, store, shutdown)
    declare(actor_name="sweep_orphans", periodic=cron(SWEEP_ORPHANS_CRON))(orphans)
