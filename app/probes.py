"""Liveness, readiness, health and metrics: Falcon resources, served by the API and by workers.

A worker's probes also fail when Redis answers them but not the worker's claims. Probes use their
own connection to Redis. Its short timeout (:data:`PROBE_TIMEOUT_SECONDS`) applies to each reply.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import falcon
import orjson
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder

from app import __version__
from app.broker import WorkerLife
from app.documents import rfc3339, workers_document
from app.errors import REFUSALS, BrokerUnavailable
from app.ledger import Ledger, QueueStats, connect
from app.metrics import Metrics, registry_of
from app.settings import Settings

#: Longest wait for a connection to Redis or for a reply. A probe that fails waits only once.
PROBE_TIMEOUT_SECONDS: Final = 0.75
#: Name under which the scheduler's heartbeat calls ``Ledger.record_tick``.
SCHEDULER_TICK: Final = "scheduler"


def probe_ledger(settings: Settings) -> Ledger:
    """Return a ledger for probes, on a connection that gives up early."""
    return Ledger(
        connect(settings, timeout_seconds=PROBE_TIMEOUT_SECONDS),
        queue=settings.preview_queue_name,
        lease_seconds=settings.preview_lease_seconds,
        max_starts=settings.preview_max_starts,
    )


class LedgerCollector:
    """Gauges that are read from Redis at each scrape.

    While Redis is unreachable, only the gauges that do not need it are returned. Every process
    returns the same gauges of the queue: aggregate them by ``max``. Gauges of workers carry the
    ``track`` of the workers.

    Args:
        ledger: From :func:`probe_ledger`.
        track: The track of this process.
        queue_max: Most live jobs (``PREVIEW_QUEUE_MAX``), which an alert on a full queue needs.
        life: Reads the signs of life of a worker service.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        track: str,
        queue_max: int,
        life: Callable[[], WorkerLife] | None = None,
    ) -> None:
        self._ledger = ledger
        self._track = track
        self._queue_max = queue_max
        self._life = life

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges. prometheus_client calls this at each scrape."""
        if self._life is not None:
            name = "preview_worker_last_claim_seconds"
            text = "When Redis last answered the claims of this service (Unix time)"
            yield self._gauge(name, text, self._life().last_claim_at)
        yield self._gauge("preview_queue_max", "Most live jobs of the queue", self._queue_max)
        try:
            stats = self._ledger.stats()
            refused = self._ledger.count_dead_letters_of(error.code for error in REFUSALS)
            tick = self._ledger.last_tick(SCHEDULER_TICK)
        except BrokerUnavailable:
            yield self._gauge("preview_redis_up", "Whether Redis answers", 0)
            return
        yield self._gauge("preview_redis_up", "Whether Redis answers", 1)
        depth = GaugeMetricFamily(
            "preview_queue_depth", "Live jobs of the queue", labels=["queue", "state", "track"]
        )
        for state in ("waiting", "active", "delayed"):
            depth.add_metric([self._ledger.queue, state, self._track], getattr(stats, state))
        yield depth
        yield self._gauge("preview_dead_letters", "Failed jobs that are kept", stats.failed)
        text = "Of these, what authors have to mend"
        yield self._gauge("preview_dead_letters_refused", text, refused)
        yield from self._workers(stats)
        if tick is not None:
            name = "preview_scheduler_last_tick_seconds"
            yield self._gauge(name, "When the scheduler last ran (Unix time)", tick)

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        gauge = GaugeMetricFamily(name, text, labels=["track"])
        gauge.add_metric([self._track], value)
        return gauge

    def _workers(self, stats: QueueStats) -> Iterator[Metric]:
        alive = GaugeMetricFamily("preview_workers_alive", "Workers seen lately", labels=["track"])
        slots = GaugeMetricFamily(
            "preview_worker_concurrency", "Jobs that they run at once", labels=["track"]
        )
        for track in sorted({self._track, *(worker.track for worker in stats.workers)}):
            of_track = [worker for worker in stats.workers if worker.track == track]
            alive.add_metric([track], len(of_track))
            slots.add_metric([track], sum(worker.slots for worker in of_track))
        yield alive
        yield slots


class Livez:
    """``GET /livez``: whether the process works. Redis is not asked.

    Args:
        life: Reads the signs of life of a worker service. After a 503 the platform restarts it.
    """

    def __init__(self, life: Callable[[], WorkerLife]) -> None:
        self._life = life

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200 or 503."""
        stuck = self._life().stuck
        if stuck:
            _send(resp, {"status": "stuck", "detail": stuck}, status=503)
        else:
            _send(resp, {"status": "alive"})

    on_head = on_get


class Readyz:
    """``GET /readyz``: whether Redis answers, including the claims of a worker."""

    def __init__(self, ledger: Ledger, life: Callable[[], WorkerLife]) -> None:
        self._ledger = ledger
        self._life = life

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200 or 503."""
        unready: dict[str, Any] = {"status": "unready", "redis": "connected"}
        try:
            self._ledger.stats()
        except BrokerUnavailable as error:
            unready |= {"redis": "disconnected", "detail": error.detail}
            _send(resp, unready, status=503)
            return
        unanswered = self._life().unanswered
        if unanswered:
            _send(resp, {**unready, "detail": unanswered}, status=503)
        else:
            _send(resp, {"status": "ready", "redis": "connected"})

    on_head = on_get


class MetricsScrape:
    """``GET /metrics``: the counters of the service and the gauges of the queue, for Prometheus."""

    def __init__(self, metrics: Metrics, gauges: LedgerCollector) -> None:
        self._metrics = metrics
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield all metric families."""
        yield from registry_of(self._metrics).collect()
        yield from self._gauges.collect()

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer in the text format or in OpenMetrics, as the ``Accept`` header asks."""
        try:
            encode, media_type = choose_encoder(req.accept)
        except (TypeError, ValueError):  # the version in the header is not a number
            encode, media_type = choose_encoder("")
        resp.content_type = media_type
        resp.data = encode(self)

    on_head = on_get


class WorkerHealth:
    """``GET /api/preview/worker/health``, as clients of the replaced system read it."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        redis_url: str,
        revision: str,
        life: Callable[[], WorkerLife] | None,
    ) -> None:
        self._ledger = ledger
        self._redis_url = public_url(redis_url)
        self._revision = revision
        self._life = life

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200 ``healthy`` or 503 ``unhealthy``."""
        queue: dict[str, Any] = {"name": self._ledger.queue}
        workers: dict[str, int] | None = None
        detail = ""
        try:
            stats = self._ledger.stats()
        except BrokerUnavailable as error:
            connected, detail = False, error.detail
        else:
            connected = True
            for name in ("waiting", "active", "completed", "failed", "delayed", "total"):
                queue[name] = getattr(stats, name)
            workers = workers_document(stats.workers)
            if not stats.workers and self._life is None:  # a worker goes by its own claims
                detail = "No worker is alive."
        document = {
            "status": "healthy",
            "timestamp": rfc3339(time.time()),
            "redis": {
                "status": "connected" if connected else "disconnected",
                "url": self._redis_url,
            },
            "queue": queue,
            "workers": workers,
            "version": __version__,
            "revision": self._revision,
        }
        if self._life is not None:
            life = self._life()
            detail = detail or life.unanswered
            document["claims"] = {
                "status": "unanswered" if life.unanswered else "answered",
                "lastAnsweredAt": rfc3339(life.last_claim_at or None),
            }
        if detail:
            _send(resp, {**document, "status": "unhealthy", "detail": detail}, status=503)
        else:
            _send(resp, document)

    on_head = on_get


def create_probe_app(
    *,
    settings: Settings,
    metrics: Metrics,
    ledger: Ledger | None = None,
    life: Callable[[], WorkerLife] | None = None,
) -> falcon.App[falcon.Request, falcon.Response]:
    """Build the WSGI application that a worker serves on ``HEALTH_PORT``.

    Args:
        settings: Name the queue, the track and the URL of Redis.
        metrics: Counters that ``/metrics`` shows in addition to the gauges.
        ledger: By default :func:`probe_ledger` of the settings.
        life: Reads the signs of life of the worker service, None if there is none.
    """
    app = falcon.App()
    ledger = ledger or probe_ledger(settings)
    add_probes(app, settings=settings, metrics=metrics, ledger=ledger, life=life)
    return app


def add_probes(
    app: falcon.App[falcon.Request, falcon.Response],
    *,
    settings: Settings,
    metrics: Metrics,
    ledger: Ledger,
    life: Callable[[], WorkerLife] | None = None,
) -> None:
    """Add the probes' routes to ``app``. For the arguments see :func:`create_probe_app`."""
    gauges = LedgerCollector(
        ledger, track=settings.preview_track, queue_max=settings.preview_queue_max, life=life
    )
    health = WorkerHealth(
        ledger, redis_url=settings.redis_url, revision=settings.preview_revision, life=life
    )
    app.add_route("/livez", Livez(life or WorkerLife))
    app.add_route("/readyz", Readyz(ledger, life or WorkerLife))
    app.add_route("/metrics", MetricsScrape(metrics, gauges))
    app.add_route("/api/preview/worker/health", health)


def public_url(url: str) -> str:
    """Return only the scheme and the database of a Redis URL, because health needs no API key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://***{'' if parts.scheme == 'unix' else parts.path}"


def _send(resp: falcon.Response, document: dict[str, Any], *, status: int = 200) -> None:
    resp.status = status
    resp.data = orjson.dumps(document)
    resp.set_header("Cache-Control", "no-store")
