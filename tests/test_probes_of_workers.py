"""What the probes of a worker say, beyond those of the API: whether it works."""

from __future__ import annotations

import time

from app.broker import WorkerLife
from app.settings import Settings
from tests.support.probe_app import HEALTH, gauges, serving


def test_a_worker_that_is_stuck_says_so(settings: Settings) -> None:
    stuck = WorkerLife(stuck="It stands still.", unanswered="It stands still.")
    with serving(settings, life=lambda: stuck) as probes:
        answer = probes.simulate_get("/livez")
        assert (answer.status_code, answer.json) == (
            503,
            {"status": "stuck", "detail": "It stands still."},
        )
        assert probes.simulate_get("/readyz").status_code == 503


def test_a_worker_whose_claims_are_not_answered_is_unhealthy_whatever_a_ping_says(
    settings: Settings,
) -> None:
    silent = WorkerLife(unanswered="Nobody answers.", last_claim_at=1_700_000_000.25)
    with serving(settings, life=lambda: silent) as probes:
        assert probes.simulate_get("/livez").json == {"status": "alive"}
        ready = probes.simulate_get("/readyz")
        health = probes.simulate_get(HEALTH)
        assert gauges(probes)["preview_worker_last_claim_seconds", "stable"] == 1_700_000_000.25
    assert (ready.status_code, ready.json) == (
        503,
        {"status": "unready", "redis": "connected", "detail": "Nobody answers."},
    )
    assert health.status_code == 503
    document = {"status": "unhealthy", "detail": "Nobody answers."}
    assert health.json | document == health.json
    assert health.json["redis"]["status"] == "connected"
    assert health.json["claims"] == {
        "status": "unanswered",
        "lastAnsweredAt": "2023-11-14T22:13:20.250Z",
    }


def test_a_worker_whose_claims_are_answered_is_healthy(settings: Settings) -> None:
    with serving(settings, life=lambda: WorkerLife(last_claim_at=time.time())) as probes:
        assert probes.simulate_get("/readyz").json == {"status": "ready", "redis": "connected"}
        health = probes.simulate_get(HEALTH)
    assert health.status_code == 200
    assert health.json["claims"]["status"] == "answered"


def test_a_worker_that_never_got_an_answer_says_zero(settings: Settings) -> None:
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    life = WorkerLife(unanswered="No claim has been answered yet.")
    with serving(away, life=lambda: life) as probes:
        found = gauges(probes)
        assert probes.simulate_get(HEALTH).json["claims"]["lastAnsweredAt"] is None
    assert found == {
        ("preview_worker_last_claim_seconds", "stable"): 0,
        ("preview_redis_up", "stable"): 0,
        ("preview_queue_max", "stable"): 20,
    }
