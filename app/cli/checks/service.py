"""The checks of ``preview verify``: a worker and an API, asked over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from app.cli.checks.findings import Finding
from app.cli.checks.small_job import run_job
from app.cli.output.exits import CommandFailed
from app.cli.remote.answers import expected_of
from app.cli.remote.api import Api

#: The scheduler ticks once a minute; three that are missing are no coincidence.
STALE_TICK_SECONDS: Final = 180.0
#: A consumer claims at least once a second.
STALE_CLAIM_SECONDS: Final = 30.0
#: What every scrape has, whatever has happened so far.
EXPECTED_METRICS: Final = frozenset(
    {
        "preview_redis_up",
        "preview_queue_depth",
        "preview_dead_letters",
        "preview_workers_alive",
        "preview_worker_concurrency",
        "preview_jobs_accepted_total",
        "preview_jobs_completed_total",
        "preview_jobs_failed_total",
    }
)
_HTTP_OK = 200

#: Values by metric, then by its labels as sorted pairs.
Samples = Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]


def probes(api: Api, name: str) -> Iterator[Finding]:
    """Liveness and readiness."""
    for path, what in (("/livez", "live"), ("/readyz", "ready")):
        answer = api.ask("GET", path)
        title = f"{name} {what}"
        if answer.status == _HTTP_OK:
            yield Finding(title, "ok", f"{api.url}{path}")
            continue
        document = answer.json()
        detail = document.get("detail") if isinstance(document, dict) else None
        reason = f"{path} answers {answer.status}" + (f": {detail}" if detail else "")
        yield Finding(title, "fail", reason, f"look at the log of the {name}")


def health(api: Api, name: str) -> Iterator[Finding]:
    """The health document: Redis, the queue, and the workers that are alive."""
    answer = api.ask("GET", "/api/preview/worker/health")
    document = answer.json()
    title = f"{name} health"
    if not isinstance(document, dict) or "queue" not in document:
        detail = f"{api.url} answers {answer.status} and no health document"
        yield Finding(title, "fail", detail, "is this the address of a preview process?")
        return
    if document.get("status") != "healthy":
        detail = str(document.get("detail") or document.get("status"))
        yield Finding(title, "fail", detail, "docs/troubleshooting.md")
        return
    with expected_of(api.url):
        yield from _queue_and_workers(document, title)


def _queue_and_workers(document: Mapping[str, Any], title: str) -> Iterator[Finding]:
    queue, workers = document["queue"], document.get("workers") or {}
    counted = f"{queue['waiting']} waiting, {queue['active']} active, {queue['failed']} failed"
    told = f"version {document.get('version')}, queue {queue['name']}: {counted}"
    yield Finding(title, "ok", told)
    alive, slots = workers.get("alive", 0), workers.get("slots", 0)
    if alive:
        yield Finding("workers", "ok", f"{alive} alive with {slots} slots")
    else:
        yield Finding("workers", "fail", "none is alive", "start one: dramatiq app.actors")


def metrics(api: Api, name: str) -> Iterator[Finding]:
    """What Prometheus would scrape."""
    answer = api.ask("GET", "/metrics")
    title = f"{name} metrics"
    try:
        samples = parse_metrics(answer.body.decode())
    except (ValueError, IndexError) as error:  # the parser's own, and its slip
        yield Finding(title, "fail", f"/metrics cannot be parsed: {error}")
        return
    if answer.status != _HTTP_OK:
        yield Finding(title, "fail", f"/metrics answers {answer.status}")
        return
    absent = sorted(EXPECTED_METRICS - samples.keys())
    away = 0.0 in samples.get("preview_redis_up", {}).values()
    if away:  # and with it all that is read from it: no other fault
        yield Finding(
            title,
            "fail",
            "preview_redis_up is 0: Redis gives it no answer",
            "docs/troubleshooting.md",
        )
    elif absent:
        yield Finding(title, "fail", f"missing: {', '.join(absent)}")
    else:
        count = sum(len(series) for series in samples.values())
        yield Finding(title, "ok", f"{len(samples)} names, {count} series")
    if name == "worker":  # an API tells the scheduler's time as well
        yield claims(samples, now=time.time())
        if not away:
            yield scheduler(samples, now=time.time())


def claims(samples: Samples, *, now: float) -> Finding:
    """Judge when Redis last answered the worker's claims."""
    answered = max(samples.get("preview_worker_last_claim_seconds", {}).values(), default=0.0)
    age = max(now - answered, 0.0)
    if answered and age <= STALE_CLAIM_SECONDS:
        return Finding("worker claims", "ok", f"the last was answered {age:.0f} s ago")
    told = f"the last was answered {age:.0f} s ago" if answered else "none was answered"
    return Finding("worker claims", "fail", told, "look at the log of the worker")


def scheduler(samples: Samples, *, now: float) -> Finding:
    """Judge when the scheduler last ticked."""
    ticked = max(samples.get("preview_scheduler_last_tick_seconds", {}).values(), default=0.0)
    age = max(now - ticked, 0.0)
    remedy = "start it: periodiq app.actors"
    if not ticked:
        return Finding("scheduler", "warn", "has not ticked yet; it does once a minute", remedy)
    if age > STALE_TICK_SECONDS:
        return Finding("scheduler", "fail", f"ticked {age:.0f} s ago", remedy)
    return Finding("scheduler", "ok", f"ticked {age:.0f} s ago")


def job(api: Api, *, dry_run: bool, timeout_seconds: float) -> Iterator[Finding]:
    """One small job, end to end."""
    title = "dry run" if dry_run else "render"
    try:
        result = run_job(api, dry_run=dry_run, timeout_seconds=timeout_seconds)
    except CommandFailed as error:
        yield Finding(title, "fail", str(error), "docs/troubleshooting.md")
        return
    told = f"{result.job_id} in {result.seconds:.1f} s"
    if not dry_run:
        told += f", {len(result.files)} files as the manifest says"
    yield Finding(title, "ok", told)


def parse_metrics(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Parse Prometheus's text format.

    Raises:
        ValueError: It is none.
    """
    samples: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels: dict[str, Any] = sample.labels
            samples.setdefault(sample.name, {})[tuple(sorted(labels.items()))] = sample.value
    return samples
