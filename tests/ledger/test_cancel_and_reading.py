"""Cancellation, lists and counts, on each kind of server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from app.errors import BrokerUnavailable
from app.ledger import Ledger, connect
from app.settings import Settings
from tests.ledger.jobs import admission, claim, claim_next, state

pytestmark = pytest.mark.real_redis


@pytest.mark.parametrize("delay_ms", [0, 60_000])
def test_a_waiting_job_is_cancelled_at_once(ledger: Ledger, delay_ms: int) -> None:
    ledger.admit(admission("a", delay_ms=delay_ms), limit=None)
    assert ledger.cancel("a") == "cancelled"
    assert ledger.cancel("a") == "already"
    assert state(ledger, "a") == "cancelled"
    assert claim(ledger) is None
    assert ledger.stats().depth == 0


@pytest.mark.parametrize("fate", ["completed", "delayed", "failed", "released"])
def test_an_acknowledged_cancellation_wins_over_every_outcome(ledger: Ledger, fate: Any) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    assert ledger.cancel("a") == "requested"
    assert ledger.settle("a", job.fence, fate, fields={"artifacts": [1]}) == "cancelled"
    record = ledger.get("a")
    assert record is not None
    assert record.state == "cancelled"
    assert record.artifacts == ()


def test_an_ended_job_cannot_be_cancelled(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    ledger.settle("a", claim_next(ledger).fence, "completed")
    assert ledger.cancel("a") == "ended"
    assert ledger.cancel("nobody") == "missing"


def test_listing_pages_through_all_jobs_newest_first(ledger: Ledger) -> None:
    for number in range(7):
        ledger.admit(admission(f"job-{number}"), limit=None)
    names: list[str] = []
    cursor: int | None = None
    while True:
        page, cursor = ledger.list_jobs(before_us=cursor, limit=3)
        names += [record.job_id for record in page]
        if cursor is None:
            break
    assert names == [f"job-{number}" for number in range(6, -1, -1)]


def test_listing_filters_by_state_and_project(ledger: Ledger) -> None:
    ledger.admit(admission("a", project="one"), limit=None)
    ledger.admit(admission("b", project="two"), limit=None)
    ledger.admit(admission("c", project="one"), limit=None)
    ledger.cancel("a")

    def names(**filters: Any) -> list[str]:
        return [record.job_id for record in ledger.list_jobs(**filters)[0]]

    assert names(project="one") == ["c", "a"]
    assert names(state="cancelled") == ["a"]
    assert names(state="queued", project="one") == ["c"]
    assert names(state="queued", project="three") == []


def test_a_project_named_like_a_state_does_not_mix_the_indexes(ledger: Ledger) -> None:
    ledger.admit(admission("a", project="p"), limit=None)
    ledger.admit(admission("b", project="p:queued"), limit=None)
    assert [record.job_id for record in ledger.list_jobs(project="p:queued")[0]] == ["b"]


def test_stats_count_every_state(ledger: Ledger) -> None:
    for name in ("done", "dead", "gone"):
        ledger.admit(admission(name), limit=None)
    ledger.settle("done", claim_next(ledger).fence, "completed")
    ledger.settle("dead", claim_next(ledger).fence, "failed")
    ledger.cancel("gone")
    ledger.admit(admission("running"), limit=None)
    claim_next(ledger)
    ledger.admit(admission("waiting", priority="high"), limit=None)
    ledger.admit(admission("later", delay_ms=60_000), limit=None)
    stats = ledger.stats()
    counted = (stats.waiting, stats.active, stats.delayed, stats.completed, stats.failed)
    assert counted == (1, 1, 1, 1, 1)
    assert (stats.cancelled, stats.depth, stats.total) == (1, 3, 6)
    assert stats.by_priority == {"high": 1, "normal": 0, "low": 0}
    assert 0 <= stats.oldest_waiting_seconds < 30


def test_a_server_that_is_away_is_broker_unavailable(settings: Settings) -> None:
    gone = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    ledger = Ledger(connect(gone), queue="q", lease_seconds=30, max_starts=3)
    calls: list[Callable[[], object]] = [
        ledger.stats,
        lambda: ledger.get("a"),
        lambda: ledger.admit(admission("a"), limit=None),
        ledger.list_jobs,
    ]
    for call in calls:
        with pytest.raises(BrokerUnavailable) as caught:
            call()
        assert caught.value.retry_after_seconds == 2


def test_a_refused_command_is_broker_unavailable_and_says_why(
    ledger: Ledger, client: redis.Redis
) -> None:
    client.set(ledger.keys["delayed"], "no sorted set")
    with pytest.raises(BrokerUnavailable, match=r"refused a command \(WRONGTYPE\)"):
        ledger.admit(admission("a", delay_ms=5), limit=None)
