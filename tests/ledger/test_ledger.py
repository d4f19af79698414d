"""The transitions of a job, on each kind of server."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from app.errors import BrokerUnavailable
from app.ledger import Admission, Claimed, Ledger, Progress, connect
from app.settings import Settings

pytestmark = pytest.mark.real_redis

INFO = {"slots": 2, "busy": 0, "track": "stable"}


def admission(job_id: str, **changes: Any) -> Admission:
    fields: dict[str, Any] = {
        "job_id": job_id,
        "message_id": uuid.uuid4().hex,
        "message": b"message of " + job_id.encode(),
        "digest": "digest",
        "project": "project",
        "max_attempts": 5,
    }
    return Admission(**{**fields, **changes})


def claim(ledger: Ledger, worker: str = "worker") -> Claimed | None:
    return ledger.claim(worker, token=uuid.uuid4().hex, free=True, info=INFO)[0]


def claim_next(ledger: Ledger) -> Claimed:
    job = claim(ledger)
    assert job is not None
    return job


def begun(ledger: Ledger) -> Claimed:
    job = claim_next(ledger)
    assert ledger.begin(job.job_id, job.fence).outcome == "granted"
    return job


def state(ledger: Ledger, job_id: str) -> str | None:
    record = ledger.get(job_id)
    return record.state if record else None


# Admission


def test_the_same_job_is_admitted_once(ledger: Ledger) -> None:
    assert ledger.admit(admission("a"), limit=None) == "admitted"
    assert ledger.admit(admission("a"), limit=None) == "existing"
    assert ledger.stats().waiting == 1


def test_a_job_id_with_another_payload_is_a_conflict(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    assert ledger.admit(admission("a", digest="other"), limit=None) == "conflict"


def test_an_admission_whose_reply_was_lost_can_be_repeated(ledger: Ledger) -> None:
    job = admission("a")
    assert ledger.admit(job, limit=1) == "admitted"
    assert ledger.admit(job, limit=1) == "admitted"
    assert ledger.stats().depth == 1


def test_the_queue_holds_exactly_its_maximum(ledger: Ledger) -> None:
    outcomes = [ledger.admit(admission(f"job-{n}"), limit=3) for n in range(5)]
    assert outcomes == ["admitted"] * 3 + ["full"] * 2


def test_running_and_delayed_jobs_count_towards_the_maximum(ledger: Ledger) -> None:
    ledger.admit(admission("running"), limit=None)
    begun(ledger)
    ledger.admit(admission("later", delay_ms=60_000), limit=None)
    assert ledger.admit(admission("one-more"), limit=2) == "full"


def test_concurrent_admissions_never_exceed_the_maximum(ledger: Ledger, settings: Settings) -> None:
    def admit(number: int) -> str:
        own = Ledger(
            connect(settings), queue=settings.preview_queue_name, lease_seconds=30, max_starts=3
        )
        return own.admit(admission(f"job-{number}"), limit=7)

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(admit, range(50)))
    assert outcomes.count("admitted") == 7
    assert ledger.stats().depth == 7


# Claiming


def test_jobs_of_one_priority_are_claimed_in_the_order_of_admission(ledger: Ledger) -> None:
    for name in "abc":
        ledger.admit(admission(name), limit=None)
    assert [claim_next(ledger).job_id for _ in range(3)] == ["a", "b", "c"]
    assert claim(ledger) is None


def test_a_claim_hands_out_the_message_and_a_rising_fence(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    first = claim_next(ledger)
    assert first == Claimed("a", 1, b"message of a")
    ledger.settle("a", first.fence, "released")
    assert claim_next(ledger).fence == 2


def test_a_claim_whose_reply_was_lost_gives_the_same_job_again(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    ledger.admit(admission("b"), limit=None)
    first = ledger.claim("w", token="t1", free=True, info=INFO)
    assert ledger.claim("w", token="t1", free=True, info=INFO) == first
    second = ledger.claim("w", token="t2", free=True, info=INFO)[0]
    assert second is not None
    assert second.job_id == "b"


def test_a_worker_without_a_free_slot_only_shows_itself(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    assert ledger.claim("w", token="t", free=False, info=INFO)[0] is None
    stats = ledger.stats()
    assert [worker.worker_id for worker in stats.workers] == ["w"]
    assert stats.waiting == 1


def test_a_worker_that_leaves_is_no_longer_counted(ledger: Ledger) -> None:
    ledger.claim("w", token="t", free=False, info=INFO)
    ledger.forget_worker("w")
    assert ledger.stats().workers == ()


def test_priorities_share_by_weight_and_nobody_starves(ledger: Ledger) -> None:
    for number in range(10):
        for priority in ("low", "normal", "high"):
            ledger.admit(admission(f"{priority}-{number}", priority=priority), limit=None)
    first_ten = [claim_next(ledger).job_id.split("-")[0] for _ in range(10)]
    assert {name: first_ten.count(name) for name in first_ten} == {"high": 6, "normal": 3, "low": 1}


def test_an_empty_priority_passes_its_turn_on(ledger: Ledger) -> None:
    for number in range(3):
        ledger.admit(admission(f"job-{number}", priority="low"), limit=None)
    assert [claim_next(ledger).job_id for _ in range(3)] == ["job-0", "job-1", "job-2"]


def test_an_idle_consumer_is_woken_by_an_admission(ledger: Ledger, settings: Settings) -> None:
    waiting = Ledger(
        connect(settings), queue=settings.preview_queue_name, lease_seconds=30, max_starts=3
    )
    woken = threading.Event()

    def wait() -> None:
        waiting.wait_for_work(20)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    ledger.admit(admission("a"), limit=None)
    assert woken.wait(10)
    thread.join()


def test_a_claim_wakes_the_next_consumer_while_work_remains(
    ledger: Ledger, client: redis.Redis
) -> None:
    for name in "ab":
        ledger.admit(admission(name), limit=None)
    client.delete(ledger.keys["wake"])
    claim(ledger)
    assert client.llen(ledger.keys["wake"]) == 1
    claim(ledger)
    assert claim(ledger) is None
    assert client.llen(ledger.keys["wake"]) == 0


def test_a_delayed_job_is_claimable_when_it_is_due_and_not_before(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a", delay_ms=60_000), limit=None)
    job, due_seconds = ledger.claim("w", token="t", free=True, info=INFO)
    assert job is None
    assert due_seconds is not None
    assert 50 < due_seconds <= 60
    client.zadd(ledger.keys["delayed"], {"a": 1})  # its time has come
    assert claim_next(ledger).job_id == "a"
    record = ledger.get("a")
    assert record is not None
    assert record.due_at is None


# Beginning


def test_a_job_begins_once_and_knows_its_attempt(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    answer = ledger.begin("a", job.fence)
    assert (answer.outcome, answer.attempt, answer.max_attempts) == ("granted", 1, 5)
    assert answer.waited_seconds < 30
    assert ledger.begin("a", job.fence).attempt == 1, "a repeated call counts nothing"


def test_an_old_fence_cannot_begin(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    ledger.settle("a", job.fence, "released")
    claim_next(ledger)
    assert ledger.begin("a", job.fence).outcome == "stale"


def test_an_ended_or_unknown_job_cannot_begin(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = begun(ledger)
    ledger.settle("a", job.fence, "completed")
    assert ledger.begin("a", job.fence).outcome == "ended"
    assert ledger.begin("nobody", 1).outcome == "missing"


def test_a_job_cancelled_between_claim_and_begin_never_runs(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    assert ledger.cancel("a") == "requested"
    assert ledger.begin("a", job.fence).outcome == "cancelled"
    assert state(ledger, "a") == "cancelled"


def test_a_job_whose_workers_keep_dying_becomes_a_dead_letter(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    for _ in range(3):
        begun(ledger)
        client.zrem(ledger.keys["active"], "a")  # the worker died, the job went back
        client.zadd(ledger.keys["waiting:normal"], {"a": 1})
    job = claim_next(ledger)
    assert ledger.begin("a", job.fence).outcome == "lost"
    record = ledger.get("a")
    assert record is not None
    assert record.state == "failed"
    assert record.error is not None
    assert record.error["code"] == "worker-lost"


# Beating


def test_a_beat_renews_the_lease_and_stores_progress(ledger: Ledger, client: redis.Redis) -> None:
    ledger.admit(admission("a"), limit=None)
    job = begun(ledger)
    before = client.zscore(ledger.keys["active"], "a")
    assert ledger.beat("a", job.fence, Progress("rendering", 30, 90)) == "go"
    record = ledger.get("a")
    assert record is not None
    assert record.progress == Progress("rendering", 30, 90)
    after = client.zscore(ledger.keys["active"], "a")
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert after >= before


def test_a_beat_tells_of_a_cancellation_and_of_a_lost_lease(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = begun(ledger)
    ledger.cancel("a")
    assert ledger.beat("a", job.fence, Progress("rendering")) == "cancel"
    assert ledger.beat("a", job.fence + 1, Progress("rendering")) == "stale"


# Settling


def test_a_completed_job_keeps_its_artifacts_and_drops_its_message(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    job = begun(ledger)
    artifacts = [{"kind": "video", "bytes": 3}]
    assert (
        ledger.settle("a", job.fence, "completed", fields={"artifacts": artifacts}) == "completed"
    )
    record = ledger.get("a")
    assert record is not None
    assert record.artifacts == tuple(artifacts)
    assert record.attempts == 1
    assert record.finished_at is not None
    assert client.hget(ledger.keys.job("a"), "message") is None


def test_a_zombie_cannot_settle_a_job_that_another_worker_holds(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    zombie = begun(ledger)
    ledger.settle("a", zombie.fence, "released")
    holder = begun(ledger)
    assert ledger.settle("a", zombie.fence, "completed") == "stale"
    assert state(ledger, "a") == "active"
    assert ledger.settle("a", holder.fence, "completed") == "completed"


def test_a_settle_whose_reply_was_lost_can_be_repeated(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = begun(ledger)
    for _ in range(2):
        assert ledger.settle("a", job.fence, "delayed", delay_seconds=60) == "delayed"
    record = ledger.get("a")
    assert record is not None
    assert record.attempts == 1


def test_a_failed_job_keeps_its_message_and_its_error(ledger: Ledger, client: redis.Redis) -> None:
    ledger.admit(admission("a"), limit=None)
    job = begun(ledger)
    ledger.settle("a", job.fence, "failed", fields={"error": {"code": "asset-failed"}})
    record = ledger.get("a")
    assert record is not None
    assert record.error == {"code": "asset-failed"}
    assert client.hget(ledger.keys.job("a"), "message") == b"message of a"
    assert ledger.stats().failed == 1


def test_a_released_job_costs_nothing_and_keeps_its_place(ledger: Ledger) -> None:
    ledger.admit(admission("first"), limit=None)
    ledger.admit(admission("second"), limit=None)
    job = begun(ledger)
    assert ledger.settle("first", job.fence, "released") == "queued"
    again = claim_next(ledger)
    assert again.job_id == "first"
    assert ledger.begin("first", again.fence).attempt == 1


def test_settling_a_job_that_is_gone_says_so(ledger: Ledger) -> None:
    assert ledger.settle("nobody", 1, "completed") == "missing"


@pytest.mark.parametrize("fate", ["completed", "failed", "cancelled"])
def test_a_queue_that_retains_nothing_forgets_jobs_that_ended(
    settings: Settings, client: redis.Redis, fate: Any
) -> None:
    ledger = Ledger(
        client, queue=settings.preview_queue_name, lease_seconds=30, max_starts=3, retain=False
    )
    ledger.admit(admission("a"), limit=None)
    job = begun(ledger)
    assert ledger.settle("a", job.fence, fate) == fate
    assert ledger.get("a") is None
    assert ledger.stats().total == 0
    assert ledger.list_jobs() == ([], None)
    assert ledger.list_jobs(state=fate, project="project") == ([], None)


# Cancelling


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
    job = begun(ledger)
    assert ledger.cancel("a") == "requested"
    assert ledger.settle("a", job.fence, fate, fields={"artifacts": [1]}) == "cancelled"
    record = ledger.get("a")
    assert record is not None
    assert record.state == "cancelled"
    assert record.artifacts == ()


def test_an_ended_job_cannot_be_cancelled(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    ledger.settle("a", begun(ledger).fence, "completed")
    assert ledger.cancel("a") == "ended"
    assert ledger.cancel("nobody") == "missing"


# Reading


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
    ledger.settle("done", begun(ledger).fence, "completed")
    ledger.settle("dead", begun(ledger).fence, "failed")
    ledger.cancel("gone")
    ledger.admit(admission("running"), limit=None)
    begun(ledger)
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
