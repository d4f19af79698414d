"""The Alertmanager's example: who is told, and what inhibits what, in a real Alertmanager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import wait_until
from tests.deploy import alert_rules
from tests.deploy.alertmanager import alertmanager
from tests.deploy.tools import passes, tool
from tests.support.processes import ROOT

pytestmark = pytest.mark.deploy_tools

EXAMPLE = ROOT / "kustomize" / "components" / "alerts" / "alertmanager.example.yaml"
ALERTS = alert_rules.alerts()


def test_amtool_takes_the_example() -> None:
    assert "SUCCESS" in passes(tool("amtool"), "check-config", EXAMPLE)


@pytest.mark.parametrize("name", ALERTS)
@pytest.mark.parametrize("namespace", ["mobius-preview", "mobius-preview-staging"])
def test_only_what_is_critical_in_production_wakes_somebody_up(name: str, namespace: str) -> None:
    severity = ALERTS[name]["labels"]["severity"]
    labels = (f"alertname={name}", f"severity={severity}", f"namespace={namespace}")
    told = passes(tool("amtool"), "config", "routes", "test", f"--config.file={EXAMPLE}", *labels)
    urgent = severity == "critical" and namespace == "mobius-preview"
    assert told.split() == ["pager" if urgent else "chat"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Alertmanager with the example; what it would tell goes nowhere."""
    with alertmanager(EXAMPLE, tmp_path_factory.mktemp("alertmanager")) as address:
        yield address


def fire(url: str, namespace: str, *alerts: dict[str, str]) -> None:
    """Let alerts fire in a namespace."""
    fired = [{"labels": {"namespace": namespace, **labels}} for labels in alerts]
    httpx.post(url, json=fired).raise_for_status()


def active(url: str, namespace: str) -> set[str]:
    """Return the alerts of a namespace that are not inhibited."""
    question = {"filter": f'namespace="{namespace}"', "inhibited": "false"}
    found: list[dict[str, Any]] = httpx.get(url, params=question).raise_for_status().json()
    return {alert["labels"]["alertname"] for alert in found}


def told(url: str, namespace: str, *alerts: dict[str, str]) -> set[str]:
    """Let alerts fire in a namespace of their own; return those that are not inhibited.

    Sources are taken in one after the other, so once a later one inhibits, these do as well.
    """
    fire(url, namespace, *alerts)
    later = f"after {namespace}"
    fire(url, later, {"alertname": "PreviewWorkerRedisDown"}, {"alertname": "PreviewWorkerDown"})
    wait_until(lambda: active(url, later) == {"PreviewWorkerRedisDown"}, "all alerts are taken in")
    return active(url, namespace)


def test_while_redis_is_away_nothing_else_is_told(url: str) -> None:
    everything = [{"alertname": name} for name in ALERTS]
    assert told(url, "away", *everything) == {"PreviewWorkerRedisDown"}
    assert told(url, "other", {"alertname": "PreviewWorkerDown"}) == {"PreviewWorkerDown"}


def test_without_workers_their_absence_alone_is_told(url: str) -> None:
    down = {"alertname": "PreviewWorkerDown", "deployment": "preview-worker"}
    consequences = [
        {"alertname": f"PreviewWorker{name}"}
        for name in ("NoHeartbeat", "QueueStalled", "QueueBacklog", "QueueFull", "SchedulerStale")
    ]
    assert told(url, "down", down, *consequences) == {"PreviewWorkerDown"}
    silent = [alert for alert in consequences if alert["alertname"] != "PreviewWorkerNoHeartbeat"]
    heartbeat = {"alertname": "PreviewWorkerNoHeartbeat"}
    assert told(url, "silent", heartbeat, *silent) == {"PreviewWorkerNoHeartbeat"}


def test_a_canary_that_is_down_hides_no_trouble_of_stable(url: str) -> None:
    canary = {"alertname": "PreviewWorkerDown", "deployment": "preview-worker-canary"}
    others = [
        {"alertname": "PreviewWorkerNoHeartbeat"},
        {"alertname": "PreviewWorkerApiDown", "deployment": "preview-api"},
    ]
    assert told(url, "canary", canary, *others) == {
        "PreviewWorkerDown",
        "PreviewWorkerNoHeartbeat",
        "PreviewWorkerApiDown",
    }


def test_of_alerts_that_say_the_same_the_worst_is_told(url: str) -> None:
    failures = [
        {"alertname": f"PreviewWorker{name}"}
        for name in ("HighFailureRate", "SloFastBurn", "SloSlowBurn", "LowVolumeFailures")
    ]
    assert told(url, "failing", *failures) == {"PreviewWorkerHighFailureRate"}
    assert told(url, "burning", *failures[1:3]) == {"PreviewWorkerSloFastBurn"}
    queue = [
        {"alertname": f"PreviewWorkerQueue{name}", "queue": "q"} for name in ("Full", "Backlog")
    ]
    assert told(url, "full", *queue) == {"PreviewWorkerQueueFull"}
    pods = [
        {"alertname": "PreviewWorkerOomKilled", "pod": "a"},
        {"alertname": "PreviewWorkerRestarting", "pod": "a"},
        {"alertname": "PreviewWorkerRestarting", "pod": "b"},
    ]
    assert told(url, "pods", *pods[:2]) == {"PreviewWorkerOomKilled"}
    assert told(url, "other pods", pods[0], pods[2]) == {
        "PreviewWorkerOomKilled",
        "PreviewWorkerRestarting",
    }
