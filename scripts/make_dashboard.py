"""Writes the Grafana dashboard: ``python scripts/make_dashboard.py > …/dashboard/dashboard.json``.

A row is a title and its panels, which share a width of 24 columns. Grafana replaces ``$namespace``
and ``$track`` in queries. A test runs the queries against a real Prometheus.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

#: Columns of Grafana's grid, and heights in its rows of 30 pixels.
COLUMNS, STAT_HEIGHT, GRAPH_HEIGHT = 24, 4, 8
#: Scrape interval of the pods (service-monitor.yaml). Grafana sets ``$__rate_interval`` to four of
#: these. With a data source's default of 15 s, that interval would hold too few samples for a rate.
SCRAPED = "30s"
#: Label selectors.
OF_NAMESPACE = 'namespace=~"$namespace"'
OF_TRACK = f'{OF_NAMESPACE}, track=~"$track"'
OF_PODS = f'{OF_NAMESPACE}, pod=~"preview-(worker|api|scheduler)-.+"'
#: Colours of thresholds.
RED, YELLOW, GREEN = "red", "yellow", "green"
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """A panel of the dashboard.

    Attributes:
        title: Title of the panel.
        queries: PromQL by legend.
        unit: Grafana's name of the unit.
        text: Description, shown when the pointer rests on the panel.
        kind: Grafana's type of the panel.
        steps: Lower limit and colour of each threshold. The first has no limit.
        more: Further default options of the fields.
    """

    title: str
    queries: dict[str, str]
    unit: str = "short"
    text: str = ""
    kind: str = "timeseries"
    steps: tuple[tuple[float | None, str], ...] = ((None, GREEN),)
    more: dict[str, Any] = field(default_factory=dict)


def stat(title: str, query: str, *steps: tuple[float | None, str], unit: str, text: str) -> Panel:
    """Return a panel with a single number."""
    return Panel(title, {"": query}, unit, text, kind="stat", steps=steps)


def by_track(counter: str, *, window: str = "$__rate_interval", matching: str = "") -> str:
    """Return the increase of a counter per second, by track."""
    selector = OF_TRACK + (f", {matching}" if matching else "")
    return f"sum by (track) (rate({counter}{{{selector}}}[{window}]))"


def quantile(share: float, histogram: str) -> str:
    """Return a quantile of a histogram, by track."""
    rates = f"rate({histogram}_bucket{{{OF_TRACK}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (track, le) ({rates}))"


def of_all(gauge: str, *, matching: str = "") -> str:
    """Return a gauge that has the same value in every process."""
    return f"max({gauge}{{{OF_NAMESPACE}{matching}}})"


def failed_share(window: str) -> str:
    """Return the share of failed jobs, as in the alerts. It is 0 without jobs."""
    faults = (
        f"(sum(increase(preview_jobs_failed_total{{{OF_NAMESPACE}}}[{window}]))"
        f" - sum(increase(preview_jobs_refused_total{{{OF_NAMESPACE}}}[{window}])))"
    )
    rendered = f'preview_job_attempts_total{{{OF_NAMESPACE}, outcome="completed"}}'
    return f"{faults} / clamp_min({faults} + sum(increase({rendered}[{window}])), 1)"


def now() -> list[Panel]:
    """Return the row to look at first."""
    slots = f"sum(max by (track) (preview_worker_concurrency{{{OF_NAMESPACE}}}))"
    tick = of_all("preview_scheduler_last_tick_seconds")
    waiting = of_all("preview_queue_depth", matching=', state="waiting"')
    return [
        stat("Redis", of_all("preview_redis_up"), (None, RED), (1, GREEN),
             unit="bool_on_off", text="Whether Redis answers."),
        stat("Workers", f"sum(max by (track) (preview_workers_alive{{{OF_NAMESPACE}}}))",
             (None, RED), (1, GREEN), unit="none", text="Workers seen in the last 15 seconds."),
        stat("Slots", slots, (None, RED), (1, GREEN), unit="none", text="Concurrent renders."),
        stat("Waiting", waiting, (None, GREEN), (12, YELLOW), unit="none",
             text="Jobs that wait for a free slot."),
        stat("Dead letters", of_all("preview_dead_letters"), (None, GREEN), (1, YELLOW),
             unit="none", text="Failed jobs, kept until they are replayed or purged."),
        stat("Failed, 1 h", failed_share("1h"), (None, GREEN), (0.01, YELLOW), (0.144, RED),
             unit="percentunit", text="Without dry runs and jobs with bad input."),
        stat("Error budget, 30 d", f"1 - {failed_share('30d')} / 0.01", (None, RED), (0, YELLOW),
             (0.5, GREEN), unit="percentunit",
             text="Remaining share of the 1% of jobs that may fail, within Prometheus' retention."),
        stat("Scheduler", f"time() - {tick}", (None, GREEN), (120, YELLOW), (300, RED),
             unit="s", text="Time since the last tick. It ticks every minute."),
    ]  # fmt: skip


def jobs() -> list[Panel]:
    """Return the row about outcomes of jobs."""
    attempts = f"rate(preview_job_attempts_total{{{OF_TRACK}}}[$__rate_interval])"
    submitted = {
        name: f"sum(rate(preview_jobs_{name}_total{{{OF_NAMESPACE}}}[$__rate_interval]))"
        for name in ("accepted", "duplicate", "invalid", "refused", "cancelled", "replayed")
    }
    stacked = {"custom": {"stacking": {"mode": "normal"}, "fillOpacity": 40}}
    # PreviewWorkerMetricsMissing has no namespace, so it is shown in every one.
    somewhere = 'namespace=~"$namespace|"'
    firing = f'ALERTS{{alertstate="firing", alertname=~"PreviewWorker.+", {somewhere}}}'
    return [
        Panel("Attempts by outcome", {"{{outcome}}": f"sum by (outcome) ({attempts})"}, "ops",
              more=stacked, text="delayed: failed, to be retried. released: back in the queue."),
        Panel("Failed jobs", {"5 m": failed_share("5m"), "1 h": failed_share("1h")}, "percentunit",
              text="Share of jobs that became dead letters.", steps=((None, GREEN), (0.1, RED))),
        Panel("Submissions", submitted, "ops", text="Requests of clients per second."),
        Panel("Firing alerts", {"{{alertname}} {{track}}{{deployment}}": firing},
              kind="state-timeline", text="Each alert has a runbook.", steps=((None, RED),)),
    ]  # fmt: skip


def queue() -> list[Panel]:
    """Return the row about what waits: jobs and stills."""
    depth = f"max by (state) (preview_queue_depth{{{OF_NAMESPACE}}})"
    slots = f"sum(max by (track) (preview_worker_concurrency{{{OF_NAMESPACE}}}))"
    name = "preview_job_wait_seconds"
    waits = {f"{{{{track}}}} p{round(q * 100)}": quantile(q, name) for q in (0.5, 0.95)}
    stills = quantile(0.95, "preview_still_duration_seconds")
    asked = f"sum by (outcome) (rate(preview_stills_total{{{OF_TRACK}}}[$__rate_interval]))"
    return [
        Panel("Live jobs", {"{{state}}": depth, "slots": slots, "max": of_all("preview_queue_max")},
              text="Above max, submissions are answered with 429."),
        Panel("Time in the queue", waits, "s", text="Time from claimable to claimed."),
        Panel("Stills", {"{{outcome}}": asked}, "ops", text="Requests by outcome, per second."),
        Panel("Time of a still", {"{{track}} p95": stills}, "s", text="From request to picture."),
    ]  # fmt: skip


def rendering() -> list[Panel]:
    """Return the row about attempts by track, for comparing a canary."""
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
        Panel("Duration of attempts", {**times}, "s", text="Includes dry runs."),
        Panel("Longer than 60 s", {"{{track}}": slow}, "percentunit",
              text="Share of attempts, from the exact bucket.",
              steps=((None, GREEN), (0.05, RED))),
        Panel("Failed attempts, 1 h", {"{{track}}": f"{faults} / ({faults} + {completed})"},
              "percentunit", text="A job that fails on the canary may succeed on stable.",
              steps=((None, GREEN), (0.1, RED))),
        Panel("Step cache hits", {"{{track}}": f"{hits} / ({hits} + {misses})"}, "percentunit",
              text="Share of steps found in the step cache."),
    ]  # fmt: skip


def processes() -> list[Panel]:
    """Return the row about processes and containers."""
    claims = f"time() - preview_worker_last_claim_seconds{{{OF_TRACK}}}"
    restarts = f"increase(kube_pod_container_status_restarts_total{{{OF_PODS}}}[1h])"
    used = f'container_memory_working_set_bytes{{{OF_PODS}, container!=""}}'
    limit = f'kube_pod_container_resource_limits{{{OF_PODS}, resource="memory"}}'
    share = (
        f"max by (pod, container) ({used}) / on (pod, container) max by (pod, container) ({limit})"
    )
    cpu = f'container_cpu_usage_seconds_total{{{OF_PODS}, container!=""}}'
    return [
        Panel("Time since the last answered claim", {"{{pod}}{{instance}}": claims}, "s",
              text="A worker claims twice a second.", steps=((None, GREEN), (10, RED))),
        Panel("Restarts, 1 h", {"{{pod}}": restarts}, "none", text="From kube-state-metrics."),
        Panel("Memory, share of the limit", {"{{pod}}": share}, "percentunit",
              text="From the kubelet. At 100% the container is killed."),
        Panel("CPU", {"{{pod}}": f"sum by (pod) (rate({cpu}[$__rate_interval]))"}, "none",
              text="Cores in use, from the kubelet."),
    ]  # fmt: skip


def panel_json(panel: Panel, *, number: int, x: int, y: int, width: int) -> dict[str, Any]:
    """Return a panel as JSON for Grafana.

    Args:
        panel: The panel.
        number: Its id.
        x: Left column.
        y: Top row.
        width: Width in columns.
    """
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
    """Return the titles and panels of all rows, from top to bottom."""
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
    """Return a dashboard variable with the values of a label."""
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
    namespaces = variable("namespace", "label_values(preview_redis_up, namespace)", multi=False)
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
        "templating": {"list": [source, namespaces, variable("track", tracks, multi=True)]},
        "panels": panels(),
    }


if __name__ == "__main__":
    json.dump(dashboard(), sys.stdout, indent=1)
    sys.stdout.write("\n")
