"""The alerts in a real Prometheus that scrapes a real worker and API, sixty times as fast.

Ranges and waiting times of the rules are divided by 60, so that "5m" are five seconds; everything
else of them is as it is deployed. The tests are phases of one story: their order counts.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.cli.remote.addresses import free_ports, http_get
from app.client import PreviewClient
from app.errors import QueueFull
from app.ledger import Ledger, connect
from app.probes import SCHEDULER_TICK
from app.settings import Settings
from tests.conftest import wait_until
from tests.deploy import alert_rules
from tests.deploy.dashboard import queries
from tests.deploy.exported import KUBE_STATE, KUBELET
from tests.deploy.prometheus import INTERVAL_MS, Prometheus
from tests.deploy.tools import tool
from tests.support.payloads import long_payload, payload
from tests.support.processes import environment, renders_below, running, stop, worker
from tests.support.redis_servers import RedisServer

pytestmark = pytest.mark.deploy_tools

#: The rules are so much faster.
FACTOR = 60
#: How long a healthy system is watched; a quarter of an hour of the rules.
HEALTHY_SECONDS = 16.0
_numbers = itertools.count(1)


@dataclass
class Watched:
    """A worker and an API under the eyes of Prometheus."""

    server: RedisServer
    prometheus: Prometheus
    preview: PreviewClient
    worker: Any

    def submit(self, **changes: Any) -> str:
        """Have a job accepted."""
        job_id = f"job-{next(_numbers)}"
        self.preview.submit(payload(job_id, **changes))
        return job_id

    def submit_broken(self) -> str:
        """Have a job accepted that fails at once, for its picture is not there."""
        request = payload()["previewRequest"]
        request["steps"][0]["background"] = {"assetId": "picture"}
        request["assets"] = [{"id": "picture", "type": "image", "path": "missing.png"}]
        return self.submit(previewRequest=request)

    def fires(self, *names: str) -> None:
        """Wait until all these alerts fire."""
        wait_until(lambda: self.prometheus.firing() >= set(names), f"{names} fire", seconds=40)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Redis, a worker of two slots, the API, and Prometheus with the rules."""
    tool("prometheus")  # or skip, before anything is started
    directory = tmp_path_factory.mktemp("watched")
    spec = alert_rules.faster(alert_rules.load(), FACTOR)
    assert {group["interval"] for group in spec["groups"]} == {f"{INTERVAL_MS}ms"}
    rules = alert_rules.write(spec, directory / "rules.yml")
    health, api = free_ports(2)
    with RedisServer(directory / "redis") as server:
        settings = Settings(
            redis_url=server.url,
            app_env="test",
            data_dir=directory,
            health_host="127.0.0.1",
            health_port=health,
            preview_api_port=api,
            preview_max_attempts=1,  # a crash is a dead letter at once
            preview_shutdown_grace_seconds=0,
        )
        gunicorn = running(
            ["gunicorn", "app.http.wsgi:app"],
            env=environment(settings, WEB_CONCURRENCY="1"),
            log=directory / "api.log",
        )
        with worker(settings, directory / "worker.log") as process, gunicorn:
            wait_until(lambda: is_ready(health) and is_ready(api), "all are ready", seconds=60)
            tick(settings)
            with Prometheus(directory, rules, [health, api]) as prometheus:
                yield Watched(server, prometheus, PreviewClient.from_settings(settings), process)


def is_ready(port: int) -> bool:
    try:
        return http_get(port, "/readyz")[0] == 200
    except OSError:
        return False


def tick(settings: Settings) -> None:
    """Tick as the scheduler does, whose minute is longer than these tests."""
    ledger = Ledger(
        connect(settings), queue=settings.preview_queue_name, lease_seconds=30, max_starts=3
    )
    assert ledger.record_tick(SCHEDULER_TICK)


def test_a_healthy_system_at_low_load_fires_nothing(watched: Watched) -> None:
    until = time.time() + HEALTHY_SECONDS
    failed = watched.submit_broken()  # which is its author's fault
    assert watched.preview.wait(failed, timeout_seconds=60).state == "failed"
    watched.preview.dead_letters.purge(failed)  # somebody has seen to it
    jobs = 1
    while time.time() < until:
        jobs += 1
        job_id = watched.submit(dryRun=jobs % 3 == 0)
        assert watched.preview.wait(job_id, timeout_seconds=60).state == "completed"
        time.sleep(0.7)  # the load is low
    ended = "sum(preview_jobs_completed_total) + sum(preview_jobs_failed_total)"
    wait_until(lambda: watched.prometheus.query(f"{ended} == {jobs}"), "all are counted")
    assert watched.prometheus.fired() == set()
    assert watched.prometheus.unhealthy() == []


def test_every_panel_of_the_dashboard_has_something_to_show(watched: Watched) -> None:
    elsewhere = KUBE_STATE.keys() | KUBELET.keys() | {"ALERTS"}
    for title, expr in queries():
        if not alert_rules.metrics(expr) & elsewhere:
            assert watched.prometheus.query(expr), title


def test_failing_jobs_fire_their_alerts(watched: Watched) -> None:
    wanted = {"PreviewWorkerHighFailureRate", "PreviewWorkerSloFastBurn"}

    def crash() -> bool:
        while watched.preview.queue().depth < 4:
            watched.preview.submit(long_payload(f"crash-{next(_numbers)}"))
        for render in renders_below(watched.worker.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(render, signal.SIGKILL)  # as the kernel does when memory is full
        return watched.prometheus.firing() >= wanted

    wait_until(crash, "renders that crash are noticed", seconds=60)


def test_a_full_queue_fires_its_alerts_while_the_worker_works(watched: Watched) -> None:
    while watched.preview.queue().depth < 20:
        watched.preview.submit(long_payload(f"long-{next(_numbers)}"))
    with pytest.raises(QueueFull):
        watched.submit()
    watched.fires("PreviewWorkerQueueFull", "PreviewWorkerQueueBacklog")
    assert "PreviewWorkerNoHeartbeat" not in watched.prometheus.fired()


def test_a_stopped_worker_fires_its_alerts(watched: Watched) -> None:
    stop(watched.worker)
    watched.fires(
        "PreviewWorkerNoHeartbeat", "PreviewWorkerQueueStalled", "PreviewWorkerMetricsMissing"
    )
    assert "PreviewWorkerRedisDown" not in watched.prometheus.fired()


def test_a_redis_that_is_away_fires_its_alert(watched: Watched) -> None:
    watched.server.stop()
    watched.fires("PreviewWorkerRedisDown")
