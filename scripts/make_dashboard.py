"""Writes the Grafana dashboard: ``python scripts/make_dashboard.py > …/dashboard/dashboard.json``.

A row is a title and its panels, which share the width of 24 columns. Queries have ``$namespace``
and ``$track``, which Grafana fills in; a test runs them against a real Prometheus.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

#: Columns of Grafana's grid, and heights in its rows of 30 pixels.
COLUMNS, STAT_HEIGHT, GRAPH_HEIGHT = 24, 4, 8
#: How often pods are scraped (service-monitor.yaml). Grafana makes ``$__rate_interval`` four of
#: these; of the 15 s that a data source has unless told otherwise, too few for a rate.
SCRAPED = "30s"
#: Selectors.
OF_NAMESPACE = 'namespace=~"$namespace"'
OF_TRACK = f'{OF_NAMESPACE}, track=~"$track"'
OF_PODS = f'{OF_NAMESPACE}, pod=~"preview-(worker|api|scheduler)-.+"'
#: Colours by which outcomes and tracks are told.
RED, YELLOW, GREEN = "red", "yellow", "green"
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """A title, its queries by their legends, and how values are shown.

    Attributes:
        steps: Colours by the value from which they hold; the first has none.
    """

    title: str
    queries: dict[str, str]
    unit: str = "short"
    text: str = ""
    kind: str = "timeseries"
    steps: tuple[tuple[float | None, str], ...] = ((None, GREEN),)
    more: dict[str, Any] = field(default_factory=dict)


def stat(title: str, query: str, *steps: tuple[float | None, str], unit: str, text: str) -> Panel:
    """Return a single number with its colours."""
    return Panel(title, {"": query}, unit, text, kind="stat", steps=steps)


def by_track(counter: str, *, window: str = "$__rate_interval", matching: str = "") -> str:
    """Return the increase of a counter a second, by track."""
    selector = OF_TRACK + (f", {matching}" if matching else "")
    return f"sum by (track) (rate({counter}{{{selector}}}[{window}]))"


def quantile(share: float, histogram: str) -> str:
    """Return a quantile of a histogram, by track."""
    rates = f"rate({histogram}_bucket{{{OF_TRACK}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (track, le) ({rates}))"


def of_all(gauge: str, *, matching: str = "") -> str:
    """Return a gauge that every process tells alike."""
    return f"max({gauge}{{{OF_NAMESPACE}{matching}}})"


def failed_share(window: str) -> str:
    """Return the share of jobs that failed, as the alerts compute it; of no jobs it is 0."""
    faults = (
        f"(sum(increase(preview_jobs_failed_total{{{OF_NAMESPACE}}}[{window}]))"
        f" - sum(increase(preview_jobs_refused_total{{{OF_NAMESPACE}}}[{window}])))"
    )
    rendered = f'preview_job_attempts_total{{{OF_NAMESPACE}, outcome="completed"}}'
    return f"{faults} / clamp_min({faults} + sum(increase({rendered}[{window}])), 1)"


def now() -> list[Panel]:
    """What to look at first."""
    slots = f"sum(max by (track) (preview_worker_concurrency{{{OF_NAMESPACE}}}))"
    tick = of_all("preview_scheduler_last_tick_seconds")
    waiting = of_all("preview_queue_depth", matching=', state="waiting"')
    return [
        stat("Redis", of_all("preview_redis_up"), (None, RED), (1, GREEN),
             unit="bool_on_off", text="Whether it answers any process."),
        stat("Workers", f"sum(max by (track) (preview_workers_alive{{{OF_NAMESPACE}}}))",
             (None, RED), (1, GREEN), unit="none", text="Seen within 15 seconds."),
        stat("Slots", slots, (None, RED), (1, GREEN), unit="none", text="Renders at once."),
        stat("Waiting", waiting, (None, GREEN), (12, YELLOW), unit="none",
             text="Jobs that could run if there were a slot."),
        stat("Dead letters", of_all("preview_dead_letters"), (None, GREEN), (1, YELLOW),
             unit="none", text="Failed jobs that are kept: replay or purge them."),
        stat("Failed, 1 h", failed_share("1h"), (None, GREEN), (0.01, YELLOW), (0.144, RED),
             unit="percentunit", text="Dry runs aside, and what its author had broken."),
        stat("Error budget, 30 d", f"1 - {failed_share('30d')} / 0.01", (None, RED), (0, YELLOW),
             (0.5, GREEN), unit="percentunit",
             text="What is left of the 1 % that may fail, as far back as Prometheus keeps."),
        stat("Scheduler", f"time() - {tick}", (None, GREEN), (120, YELLOW), (300, RED),
             unit="s", text="Since its last tick; it ticks every minute."),
    ]  # fmt: skip


def jobs() -> list[Panel]:
    """What becomes of jobs."""
    attempts = f"rate(preview_job_attempts_total{{{OF_TRACK}}}[$__rate_interval])"
    submitted = {
        name: f"sum(rate(preview_jobs_{name}_total{{{OF_NAMESPACE}}}[$__rate_interval]))"
        for name in ("accepted", "duplicate", "invalid", "refused", "cancelled", "replayed")
    }
    stacked = {"custom": {"stacking": {"mode": "normal"}, "fillOpacity": 40}}
    # What is missing has no namespace: PreviewWorkerMetricsMissing is shown in each.
    somewhere = 'namespace=~"$namespace|"'
    firing = f'ALERTS{{alertstate="firing", alertname=~"PreviewWorker.+", {somewhere}}}'
    return [
        Panel("Attempts by outcome", {"{{outcome}}": f"sum by (outcome) ({attempts})"}, "ops",
              more=stacked, text="delayed: failed, to be retried; released: given back."),
        Panel("Failed jobs", {"5 m": failed_share("5m"), "1 h": failed_share("1h")}, "percentunit",
              text="The share that became dead letters.", steps=((None, GREEN), (0.1, RED))),
        Panel("Submissions", submitted, "ops", text="What clients ask for."),
        Panel("Alerts that fire", {"{{alertname}} {{track}}{{deployment}}": firing},
              kind="state-timeline", text="Each has a runbook.", steps=((None, RED),)),
    ]  # fmt: skip


def queue() -> list[Panel]:
    """What waits, and how long."""
    depth = f"max by (state) (preview_queue_depth{{{OF_NAMESPACE}}})"
    slots = f"sum(max by (track) (preview_worker_concurrency{{{OF_NAMESPACE}}}))"
    waits = {
        f"{{{{track}}}} p{round(q * 100)}": quantile(q, "preview_job_wait_seconds")
        for q in (0.5, 0.95)
    }
    return [
        Panel("Live jobs", {"{{state}}": depth, "slots": slots, "max": of_all("preview_queue_max")},
              text="Beyond max, submissions get 429."),
        Panel("Time in the queue", waits, "s", text="From claimable to claimed."),
    ]  # fmt: skip


def rendering() -> list[Panel]:
    """How long an attempt takes, by track: what to compare of a canary."""
    name = "preview_job_duration_seconds"
    times = {f"{{{{track}}}} p{round(q * 100)}": quantile(q, name) for q in (0.5, 0.95)}
    quick = by_track(f"{name}_bucket", window="15m", matching='le=~"60(\\\\.0)?"')
    attempts = "preview_job_attempts_total"
    completed = by_track(attempts, window="1h", matching='outcome="completed"')
    failed = by_track(attempts, window="1h", matching='outcome=~"failed|delayed"')
    lost = by_track("preview_job_attempts_lost_total", window="1h")
    faults = f"({failed} + {lost} - {by_track('preview_jobs_refused_total', window='1h')})"
    hits = by_track("preview_step_cache_hits_total")
    misses = by_track("preview_step_cache_misses_total")
    slow = f"1 - {quick} / {by_track(f'{name}_count', window='15m')}"
    return [
        Panel("Time of an attempt", {**times}, "s", text="Dry runs included."),
        Panel("Longer than 60 s", {"{{track}}": slow}, "percentunit",
              text="The share of attempts, by the exact bucket.",
              steps=((None, GREEN), (0.05, RED))),
        Panel("Failed attempts, 1 h", {"{{track}}": f"{faults} / ({faults} + {completed})"},
              "percentunit", text="Attempts: a job that fails on the canary may succeed on stable.",
              steps=((None, GREEN), (0.1, RED))),
        Panel("Steps found encoded", {"{{track}}": f"{hits} / ({hits} + {misses})"}, "percentunit",
              text="Of the steps that were to be encoded, those in the step cache."),
    ]  # fmt: skip


def processes() -> list[Panel]:
    """The processes and their containers."""
    claims = f"time() - preview_worker_last_claim_seconds{{{OF_TRACK}}}"
    restarts = f"increase(kube_pod_container_status_restarts_total{{{OF_PODS}}}[1h])"
    used = f'container_memory_working_set_bytes{{{OF_PODS}, container!=""}}'
    limit = f'kube_pod_container_resource_limits{{{OF_PODS}, resource="memory"}}'
    share = (
        f"max by (pod, container) ({used}) / on (pod, container) max by (pod, container) ({limit})"
    )
    cpu = f'container_cpu_usage_seconds_total{{{OF_PODS}, container!=""}}'
    return [
        Panel("Since the last answered claim", {"{{pod}}{{instance}}": claims}, "s",
              text="A worker asks twice a second.", steps=((None, GREEN), (10, RED))),
        Panel("Restarts, 1 h", {"{{pod}}": restarts}, "none", text="By kube-state-metrics."),
        Panel("Memory of the limit", {"{{pod}}": share}, "percentunit",
              text="By the kubelet; at 100 % the container is killed."),
        Panel("Processor", {"{{pod}}": f"sum by (pod) (rate({cpu}[$__rate_interval]))"}, "none",
              text="Cores, by the kubelet."),
    ]  # fmt: skip


def panel_json(panel: Panel, *, number: int, x: int, y: int, width: int) -> dict[str, Any]:
    """Return a panel as Grafana keeps it."""
    height = STAT_HEIGHT if panel.kind == "stat" else GRAPH_HEIGHT
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": PROMETHEUS,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": None if panel.kind == "stat" else 0,
                "thresholds": {
                    "mode": "absolute",
                    "steps": [{"value": value, "color": color} for value, color in panel.steps],
                },
                **panel.more,
            },
            "overrides": [],
        },
        "targets": [
            {"refId": chr(ord("A") + index), "expr": expr, "legendFormat": legend or "__auto",
             "interval": SCRAPED, "datasource": PROMETHEUS}
            for index, (legend, expr) in enumerate(panel.queries.items())
        ],
    }  # fmt: skip


def panels() -> list[dict[str, Any]]:
    """Return all rows with their panels, one below the other."""
    found: list[dict[str, Any]] = []
    y = 0
    for title, row in (
        ("Now", now()),
        ("Jobs", jobs()),
        ("Queue", queue()),
        ("Rendering", rendering()),
        ("Processes", processes()),
    ):
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        found.append(
            {
                "id": len(found) + 1,
                "type": "row",
                "title": title,
                "gridPos": place,
                "collapsed": False,
                "panels": [],
            }
        )
        width = COLUMNS // len(row)
        placed = [
            panel_json(panel, number=len(found) + 1 + i, x=i * width, y=y + 1, width=width)
            for i, panel in enumerate(row)
        ]
        found += placed
        y += 1 + max(panel["gridPos"]["h"] for panel in placed)
    return found


def variable(name: str, query: str, *, multi: bool) -> dict[str, Any]:
    """Return a variable whose values are those of a label."""
    return {
        "name": name, "label": name, "type": "query", "datasource": PROMETHEUS,
        "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1,
        "multi": multi, "includeAll": multi, "current": {},
    }  # fmt: skip


def dashboard() -> dict[str, Any]:
    """Return the whole dashboard."""
    source = {"name": "datasource", "label": "data source", "type": "datasource",
              "query": "prometheus", "current": {}}  # fmt: skip
    tracks = f"label_values(preview_jobs_started_total{{{OF_NAMESPACE}}}, track)"
    return {
        "uid": "mobius-preview-worker",
        "title": "Mobius Preview Worker",
        "tags": ["preview"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                source,
                variable("namespace", "label_values(preview_redis_up, namespace)", multi=False),
                variable("track", tracks, multi=True),
            ]
        },
        "panels": panels(),
    }


if __name__ == "__main__":
    json.dump(dashboard(), sys.stdout, indent=1)
    sys.stdout.write("\n")
