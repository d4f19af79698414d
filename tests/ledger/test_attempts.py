"""Attempts start, beat and settle by their fence, on each kind of server."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from app.ledger import Ledger, Progress
from app.settings import Settings
from tests.ledger.jobs import INFO, admission, claim_next, state

pytestmark = pytest.mark.real_redis


def test_a_claimed_job_knows_its_attempt_and_how_long_it_has_waited(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    assert (job.attempt, job.max_attempts) == (1, 5)
    assert 0 < job.waited_seconds < 30
    ledger.settle("a", job.fence, "delayed")
    assert claim_next(ledger).attempt == 2


def test_a_claim_that_is_repeated_counts_one_start(ledger: Ledger, client: redis.Redis) -> None:
    ledger.admit(admission("a"), limit=None)
    first, again = (ledger.claim("worker", token="same", free=True, info=INFO)[0] for _ in range(2))
    assert first is not None
    assert again is not None
    assert (again.job_id, again.fence, again.attempt) == ("a", first.fence, 1)
    assert client.hget(ledger.keys.job("a"), "starts") == b"1"


def test_a_job_cancelled_between_its_claim_and_its_start_hears_of_it(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    assert ledger.cancel("a") == "requested"
    assert ledger.beat("a", job.fence, Progress("preparing")) == "cancel"


def test_a_job_whose_workers_keep_dying_becomes_a_dead_letter(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    for outcome in ("queued", "queued", "failed"):
        claim_next(ledger)
        client.zadd(ledger.keys["active"], {"a": 1})  # the worker died
        client.delete(ledger.keys["recovering"])
        assert ledger.recover() == [("a", outcome, "stable")]
    record = ledger.get("a")
    assert record is not None
    assert record.state == "failed"
    assert record.error is not None
    assert record.error["code"] == "worker-lost"


def test_a_beat_renews_the_lease_and_stores_progress(ledger: Ledger, client: redis.Redis) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
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
    job = claim_next(ledger)
    ledger.cancel("a")
    assert ledger.beat("a", job.fence, Progress("rendering")) == "cancel"
    assert ledger.beat("a", job.fence + 1, Progress("rendering")) == "stale"


def test_a_completed_job_keeps_its_artifacts_and_drops_its_message(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
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
    zombie = claim_next(ledger)
    client.zadd(ledger.keys["active"], {"a": 1})  # its lease has run out
    assert ledger.recover() == [("a", "queued", "stable")]
    holder = claim_next(ledger)
    assert ledger.settle("a", zombie.fence, "completed") == "stale"
    assert state(ledger, "a") == "active"
    assert ledger.settle("a", holder.fence, "completed") == "completed"


def test_a_settle_whose_reply_was_lost_can_be_repeated(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    for _ in range(2):
        assert ledger.settle("a", job.fence, "delayed", delay_seconds=60) == "delayed"
    record = ledger.get("a")
    assert record is not None
    assert record.attempts == 1


def test_a_settle_that_is_repeated_late_gives_its_own_answer_and_changes_nothing(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    first = claim_next(ledger)
    assert ledger.settle("a", first.fence, "delayed", delay_seconds=60) == "delayed"
    client.zadd(ledger.keys["delayed"], {"a": 1})
    second = claim_next(ledger)
    assert ledger.settle("a", first.fence, "delayed", delay_seconds=60) == "delayed"
    assert state(ledger, "a") == "active"
    assert ledger.settle("a", second.fence, "completed") == "completed"


def test_a_failed_job_keeps_its_message_and_its_error(ledger: Ledger, client: redis.Redis) -> None:
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    ledger.settle("a", job.fence, "failed", fields={"error": {"code": "asset-failed"}})
    record = ledger.get("a")
    assert record is not None
    assert record.error == {"code": "asset-failed"}
    assert client.hget(ledger.keys.job("a"), "message") == b"message of a"
    assert ledger.stats().failed == 1


def test_a_released_job_costs_nothing_and_keeps_its_place(ledger: Ledger) -> None:
    ledger.admit(admission("first"), limit=None)
    ledger.admit(admission("second"), limit=None)
    job = claim_next(ledger)
    assert ledger.settle("first", job.fence, "released") == "queued"
    again = claim_next(ledger)
    assert again.job_id == "first"
    assert again.attempt == 1


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
    job = claim_next(ledger)
    assert ledger.settle("a", job.fence, fate) == fate
    assert ledger.get("a") is None
    assert ledger.stats().total == 0
    assert ledger.list_jobs() == ([], None)
    assert ledger.list_jobs(state=fate, project="project") == ([], None)
