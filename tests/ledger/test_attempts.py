"""Attempts begin, beat and settle by their fence, on each kind of server."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from app.ledger import Ledger, Progress
from app.settings import Settings
from tests.ledger.jobs import admission, begun, claim_next, state

pytestmark = pytest.mark.real_redis


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


def test_a_zombie_cannot_settle_a_job_that_another_worker_holds(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    zombie = begun(ledger)
    client.zadd(ledger.keys["active"], {"a": 1})  # its lease has run out
    assert ledger.recover() == [("a", "queued")]
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


def test_a_settle_that_is_repeated_late_gives_its_own_answer_and_changes_nothing(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    first = begun(ledger)
    assert ledger.settle("a", first.fence, "delayed", delay_seconds=60) == "delayed"
    client.zadd(ledger.keys["delayed"], {"a": 1})
    second = begun(ledger)
    assert ledger.settle("a", first.fence, "delayed", delay_seconds=60) == "delayed"
    assert state(ledger, "a") == "active"
    assert ledger.settle("a", second.fence, "completed") == "completed"


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
