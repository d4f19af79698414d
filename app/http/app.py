"""The factory of the API: every route, and nothing made here that could be passed in."""

from __future__ import annotations

import falcon

from app.client import PreviewClient
from app.contract import RemoteAssets, load_contract
from app.http import paths
from app.http.artifacts import Artifact
from app.http.auth import ApiKeyAuth, require_keys
from app.http.dead_letters import DeadLetter, ListDeadLetters, ReplayDeadLetters
from app.http.jobs import CancelJob, JobStatus, ListJobs, SubmitJob
from app.http.openapi import OpenApi
from app.http.problems import install_problems
from app.http.queue import QueueMetrics
from app.http.request_context import RequestContext
from app.http.stills import StillOfJob, StillOfPayload
from app.http.trace_requests import TraceRequests
from app.ledger import Ledger
from app.metrics import Metrics
from app.probes import add_probes
from app.settings import Settings
from app.stills import Stills
from app.storage import ArtifactStore
from app.tracing import Tracing


def create_app(
    *,
    client: PreviewClient,
    store: ArtifactStore,
    settings: Settings,
    metrics: Metrics,
    probes: Ledger,
    tracing: Tracing | None = None,
) -> falcon.App[falcon.Request, falcon.Response]:
    """Build the WSGI application.

    Args:
        client: Submits, reads and cancels jobs; counts in ``metrics``.
        store: Where the files of finished jobs are.
        settings: API keys, queue maximum, time that results are kept, track, URL of Redis.
        metrics: What ``/metrics`` shows.
        probes: What the probes ask (:func:`app.probes.probe_ledger`).
        tracing: Where requests are recorded, None for nowhere.

    Raises:
        SettingsError: There are no API keys outside development.
    """
    require_keys(settings)
    app = falcon.App()
    app.add_middleware(RequestContext())
    if tracing is not None and tracing.on:
        app.add_middleware(TraceRequests(tracing))
    app.add_middleware(ApiKeyAuth(settings.preview_api_keys))
    install_problems(app)
    add_probes(app, settings=settings, metrics=metrics, ledger=probes)
    app.add_route(paths.JOB, SubmitJob(client))
    app.add_route(paths.JOBS, ListJobs(client))
    app.add_route(paths.STATUS, JobStatus(client))
    artifact = Artifact(
        client,
        store,
        kept_hours=settings.preview_result_ttl_hours,
        url_seconds=settings.preview_artifact_url_seconds,
    )
    app.add_route(paths.ARTIFACT, artifact)
    stills = Stills(
        client.ledger,
        contract=load_contract(remote=RemoteAssets.of(settings)),
        metrics=metrics,
    )
    app.add_route(paths.STILL, StillOfPayload(stills))
    app.add_route(paths.JOB_STILL, StillOfJob(stills))
    app.add_route(paths.CANCEL, CancelJob(client))
    app.add_route(paths.DEAD_LETTERS, ListDeadLetters(client))
    app.add_route(paths.DEAD_LETTER, DeadLetter(client))
    app.add_route(paths.REPLAY, ReplayDeadLetters(client))
    app.add_route(paths.QUEUE_METRICS, QueueMetrics(client, queue_max=settings.preview_queue_max))
    app.add_route(paths.OPENAPI, OpenApi())
    return app
