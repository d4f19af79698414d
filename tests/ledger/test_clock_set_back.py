"""The server's clock is an hour ahead, and is then set right: nothing waits for that hour."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.ledger import Ledger, Progress, Recovered
from tests.conftest import wait_until
from tests.ledger.jobs import INFO, admission, claim, claim_next, state
from tests.support.clock import ServerClock
from tests.support.redis_servers import RedisServer

HOUR = 3600
LEASE_SECONDS = 1.0
#: In which a silent worker's job must be back.
DEADLINE_SECONDS = LEASE_SECONDS + 5


@pytest.fixture
def clock(tmp_path: Path) -> ServerClock:
    return ServerClock(tmp_path)


@pytest.fixture
def ledger(clock: ServerClock, tmp_path: Path) -> Iterator[Ledger]:
    clock.set(ahead_seconds=HOUR)
    with RedisServer(tmp_path / "redis", env=clock.env) as server:
        client = server.client(decode_responses=False)
        assert client.time()[0] > time.time() + HOUR / 2, "the clock is ahead"
        yield Ledger(client, queue="q", lease_seconds=LEASE_SECONDS, max_starts=3)
        client.close()


def test_a_dead_workers_job_is_back_and_a_living_ones_is_left_alone(
    ledger: Ledger, clock: ServerClock
) -> None:
    for name in ("dead", "living"):
        ledger.admit(admission(name), limit=None)
        claim_next(ledger)
    ledger.recover()
    living = ledger.get("living")
    assert living is not None
    clock.set(ahead_seconds=0)
    found: list[Recovered] = []

    def recovered() -> bool:
        assert ledger.beat("living", living.fence, Progress("rendering")) == "go"
        found.extend(ledger.recover())
        return bool(found)

    wait_until(recovered, "it is back", seconds=DEADLINE_SECONDS)
    assert [(job.job_id, job.outcome) for job in found] == [("dead", "queued")]
    assert claim_next(ledger).job_id == "dead"


def test_a_living_worker_that_is_looked_at_before_it_beats_again_keeps_its_job(
    ledger: Ledger, clock: ServerClock
) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    ledger.recover()
    clock.set(ahead_seconds=0)
    assert ledger.recover() == []
    assert ledger.beat("a", job.fence, Progress("rendering")) == "go"


def test_a_delayed_job_comes_when_it_was_to_come(ledger: Ledger, clock: ServerClock) -> None:
    ledger.admit(admission("soon", delay_ms=1500), limit=None)
    ledger.admit(admission("late", delay_ms=600_000), limit=None)
    ledger.recover()
    clock.set(ahead_seconds=0)
    ledger.recover()
    wait_until(lambda: claim(ledger), "it is claimed", seconds=DEADLINE_SECONDS)
    assert (state(ledger, "soon"), state(ledger, "late")) == ("active", "delayed")
    _, due_seconds = ledger.claim("worker", token="t", free=False, info=INFO)
    assert due_seconds == pytest.approx(600, abs=10)


def test_only_workers_that_have_been_seen_since_are_alive(
    ledger: Ledger, clock: ServerClock
) -> None:
    for worker in ("dead", "living"):
        ledger.claim(worker, token="t", free=False, info=INFO)
    assert len(ledger.stats().workers) == 2
    clock.set(ahead_seconds=0)
    assert ledger.stats().workers == ()
    ledger.claim("living", token="t", free=False, info=INFO)
    assert [worker.worker_id for worker in ledger.stats().workers] == ["living"]


def test_cron_tasks_go_on_within_the_minute(ledger: Ledger, clock: ServerClock) -> None:
    assert ledger.record_tick("scheduler")
    clock.set(ahead_seconds=0)
    assert ledger.record_tick("scheduler")
    assert not ledger.record_tick("scheduler")
    tick = ledger.last_tick("scheduler")
    assert tick == pytest.approx(time.time(), abs=10)


def test_jobs_keep_their_order_and_no_fence_comes_twice(ledger: Ledger, clock: ServerClock) -> None:
    ledger.admit(admission("before"), limit=None)
    ledger.admit(admission("claimed", priority="high"), limit=None)
    fence = claim_next(ledger).fence
    clock.set(ahead_seconds=0)
    ledger.admit(admission("after"), limit=None)
    first, second = claim_next(ledger), claim_next(ledger)
    assert (first.job_id, second.job_id) == ("before", "after")
    assert fence < first.fence < second.fence
    ledger.settle("before", first.fence, "completed")
    record = ledger.get("before")
    assert record is not None
    assert record.started_at is not None
    assert record.finished_at is not None
    assert 0 <= record.finished_at - record.started_at < HOUR / 2, "no hour is counted in"
