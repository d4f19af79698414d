from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator

import falcon.testing
import pytest

from app.ledger import Admission, Ledger
from app.metrics import Metrics
from app.probes import SCHEDULER_TICK, create_probe_app, probe_ledger, public_url
from app.settings import Settings
from tests.support.probe_app import HEALTH, gauges, serving


def admit(ledger: Ledger, job_id: str) -> None:
    job = Admission(job_id=job_id, message_id=uuid.uuid4().hex, message=b"{}", digest="d")
    assert ledger.admit(job, limit=None) == "admitted"


def show_worker(ledger: Ledger, name: str, *, slots: int, track: str) -> None:
    info = {"slots": slots, "busy": 0, "track": track, "pid": 1, "host": "h"}
    ledger.claim(name, token=uuid.uuid4().hex, free=False, info=info)


@pytest.fixture
def probes(settings: Settings) -> Iterator[falcon.testing.TestClient]:
    """The probes of a worker on an embedded server."""
    with serving(settings.model_copy(update={"preview_revision": "0f3c2a1"})) as client:
        yield client


@pytest.fixture
def away(settings: Settings) -> Iterator[Settings]:
    """Settings that name a server which refuses connections."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"redis://user:hunter2@127.0.0.1:{reserved.getsockname()[1]}/3"
        yield settings.model_copy(update={"redis_url": url})


@pytest.fixture
def silent(settings: Settings) -> Iterator[Settings]:
    """Settings that name a server which accepts connections and says nothing."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    accepted.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        yield settings.model_copy(
            update={"redis_url": f"redis://127.0.0.1:{server.getsockname()[1]}"}
        )
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in accepted:
        connection.close()


def test_the_gauges_tell_what_redis_holds(
    probes: falcon.testing.TestClient, ledger: Ledger
) -> None:
    for number in range(3):
        admit(ledger, f"job-{number}")
    show_worker(ledger, "worker-1", slots=2, track="stable")
    show_worker(ledger, "worker-2", slots=3, track="stable")
    show_worker(ledger, "worker-3", slots=1, track="canary")
    ledger.claim(
        "worker-1",
        token="t",
        free=True,
        info={"slots": 2, "busy": 1, "track": "stable", "pid": 1, "host": "h"},
    )
    assert ledger.record_tick(SCHEDULER_TICK)
    found = gauges(probes)
    tick = found.pop(("preview_scheduler_last_tick_seconds", "stable"))
    assert abs(tick - time.time()) < 60
    assert found == {
        ("preview_redis_up", "stable"): 1,
        ("preview_queue_max", "stable"): 20,
        ("preview_queue_depth", ledger.queue, "waiting", "stable"): 2,
        ("preview_queue_depth", ledger.queue, "active", "stable"): 1,
        ("preview_queue_depth", ledger.queue, "delayed", "stable"): 0,
        ("preview_dead_letters", "stable"): 0,
        ("preview_dead_letters_refused", "stable"): 0,
        ("preview_workers_alive", "stable"): 2,
        ("preview_workers_alive", "canary"): 1,
        ("preview_worker_concurrency", "stable"): 5,
        ("preview_worker_concurrency", "canary"): 1,
    }


def test_dead_letters_are_counted_and_those_that_authors_have_to_mend_apart(
    probes: falcon.testing.TestClient, ledger: Ledger
) -> None:
    admit(ledger, "job-1")
    info = {"slots": 1, "busy": 0, "track": "stable", "pid": 1, "host": "h"}
    claimed, _ = ledger.claim("worker-1", token="t", free=True, info=info)
    assert claimed is not None
    ledger.settle("job-1", claimed.fence, "failed", fields={"error": {"code": "render-failed"}})
    assert gauges(probes)["preview_dead_letters_refused", "stable"] == 0
    for job_id, code in (("job-2", "asset-failed"), ("job-3", "validation-failed")):
        admit(ledger, job_id)
        claimed, _ = ledger.claim("worker-1", token=job_id, free=True, info=info)
        assert claimed is not None
        ledger.settle(job_id, claimed.fence, "failed", fields={"error": {"code": code}})
    found = gauges(probes)
    assert found["preview_dead_letters", "stable"] == 3
    assert found["preview_dead_letters_refused", "stable"] == 2


def test_a_service_without_workers_says_none_rather_than_nothing(
    probes: falcon.testing.TestClient,
) -> None:
    found = gauges(probes)
    assert found["preview_workers_alive", "stable"] == 0
    assert found["preview_worker_concurrency", "stable"] == 0
    assert ("preview_scheduler_last_tick_seconds", "stable") not in found


def test_without_redis_the_gauges_say_so_and_tell_nothing_of_the_queue(away: Settings) -> None:
    with serving(away) as probes:
        assert gauges(probes) == {
            ("preview_redis_up", "stable"): 0,
            ("preview_queue_max", "stable"): 20,
        }


def test_the_counters_are_shown_beside_the_gauges(settings: Settings) -> None:
    metrics = Metrics(track="canary")
    metrics.completed.inc(3)
    ledger = probe_ledger(settings)
    with ledger._client:
        app = create_probe_app(settings=settings, metrics=metrics, ledger=ledger)
        text = falcon.testing.TestClient(app).simulate_get("/metrics").text
    assert 'preview_jobs_completed_total{track="canary"} 3.0' in text


def test_a_scrape_may_ask_for_openmetrics(probes: falcon.testing.TestClient) -> None:
    headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
    result = probes.simulate_get("/metrics", headers=headers)
    assert result.headers["content-type"].startswith("application/openmetrics-text")
    assert result.text.endswith("# EOF\n")


def test_a_scrape_that_asks_for_no_version_there_is_gets_the_plain_format(
    probes: falcon.testing.TestClient,
) -> None:
    headers = {"Accept": "application/openmetrics-text; version=1.x"}
    result = probes.simulate_get("/metrics", headers=headers)
    assert (result.status_code, result.headers["content-type"][:10]) == (200, "text/plain")


def test_health_has_the_members_that_clients_read(
    probes: falcon.testing.TestClient, ledger: Ledger
) -> None:
    admit(ledger, "job-1")
    show_worker(ledger, "worker-1", slots=2, track="stable")
    result = probes.simulate_get(HEALTH)
    assert result.status_code == 200
    document = result.json
    assert document["status"] == "healthy"
    assert document["timestamp"].endswith("Z")
    assert document["redis"]["status"] == "connected"
    assert document["queue"] == {
        "name": ledger.queue,
        "waiting": 1,
        "active": 0,
        "completed": 0,
        "failed": 0,
        "delayed": 0,
        "total": 1,
    }
    assert document["workers"] == {"alive": 1, "slots": 2, "busy": 0, "resting": 0}
    assert document["version"]
    assert document["revision"] == "0f3c2a1"


def test_a_queue_without_a_living_worker_is_unhealthy(
    probes: falcon.testing.TestClient, ledger: Ledger
) -> None:
    admit(ledger, "job-1")
    health = probes.simulate_get(HEALTH)
    assert health.status_code == 503
    assert (health.json["status"], health.json["detail"]) == ("unhealthy", "No worker is alive.")
    assert health.json["queue"]["waiting"] == 1


def test_without_redis_health_and_readiness_fail_and_liveness_does_not(away: Settings) -> None:
    with serving(away) as probes:
        health = probes.simulate_get(HEALTH)
        assert probes.simulate_get("/readyz").status_code == 503
        assert probes.simulate_get("/livez").status_code == 200
    assert health.status_code == 503
    assert health.json["status"] == "unhealthy"
    assert health.json["redis"]["status"] == "disconnected"
    assert health.json["redis"]["url"] == "redis://***/3"
    assert "hunter" not in health.text


@pytest.mark.parametrize("path", [HEALTH, "/readyz", "/metrics", "/livez"])
def test_a_redis_that_says_nothing_holds_no_probe_up(silent: Settings, path: str) -> None:
    with serving(silent) as probes:
        began = time.monotonic()
        probes.simulate_get(path)
    assert time.monotonic() - began < 2.0


def test_a_probe_recovers_with_redis(probes: falcon.testing.TestClient, ledger: Ledger) -> None:
    assert probes.simulate_get("/readyz").status_code == 200
    ledger._client.client_kill_filter(_type="normal", skipme=True)
    probes.simulate_get("/readyz")  # finds the connection dead
    assert probes.simulate_get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", HEALTH])
def test_a_probe_may_ask_by_head(
    probes: falcon.testing.TestClient, ledger: Ledger, path: str
) -> None:
    show_worker(ledger, "worker-1", slots=2, track="stable")
    result = probes.simulate_head(path)
    assert result.status_code == 200
    assert result.content == b""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379", "redis://***"),
        ("rediss://user:p%40ss@cache.example:6380/2?ssl_cert_reqs=none", "rediss://***/2"),
        ("redis://:p@ss@[::1]:6379/0", "redis://***/0"),
        ("unix://user:pass@/run/secret/redis.sock?db=1", "unix://***"),
        ("rediss+sentinel://user:pass@one:26379,two/tutorials/1",
         "rediss+sentinel://***/tutorials/1"),
    ],
)  # fmt: skip
def test_the_url_of_redis_is_shown_without_its_host_and_credentials(url: str, shown: str) -> None:
    assert public_url(url) == shown


@pytest.mark.real_redis
def test_one_tick_a_minute_wins(ledger: Ledger) -> None:
    assert ledger.last_tick("sweep") is None
    assert ledger.record_tick("sweep")
    assert not ledger.record_tick("sweep")
    assert ledger.record_tick("replay")
    last = ledger.last_tick("sweep")
    assert last is not None
    assert abs(last - time.time()) < 60
    # Two minutes later, for whoever asks first.
    ledger._client.hset(ledger.keys["tick:sweep"], "at", str(int(last) - 120))
    assert [ledger.record_tick("sweep") for _ in range(3)] == [True, False, False]


@pytest.mark.real_redis
def test_of_many_schedulers_one_ticks(ledger: Ledger) -> None:
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ledger.record_tick("sweep")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 7 + [True]
