"""Dead letters: listed, replayed once, purged; and what is kept for how long."""

from __future__ import annotations

import threading

import pytest
import redis

from app.errors import RenderFailed, ValidationFailed
from app.ledger import DeadLetterFilter, Ledger, Record, Replay, Retention
from app.settings import Settings
from tests.ledger.jobs import admission, claim_next, state

pytestmark = pytest.mark.real_redis

EVERYTHING = DeadLetterFilter()
FOREVER = Retention(
    result_seconds=1e6, record_seconds=1e6, dead_letter_seconds=1e6, dead_letters=1000
)
TRANSIENT = RenderFailed("It broke.").to_problem()
PERMANENT = ValidationFailed("It is wrong.").to_problem()


def bury(ledger: Ledger, job_id: str, error: object = TRANSIENT, **changes: object) -> None:
    """Bring a new job to its end as a dead letter."""
    ledger.admit(admission(job_id, **changes), limit=None)
    fail_next(ledger, error)


def fail_next(ledger: Ledger, error: object = TRANSIENT) -> None:
    job = claim_next(ledger)
    assert ledger.settle(job.job_id, job.fence, "failed", fields={"error": error}) == "failed"


def letters(ledger: Ledger, wanted: DeadLetterFilter = EVERYTHING) -> list[str]:
    return [record.job_id for record in ledger.list_dead_letters(wanted)[0]]


def record_of(ledger: Ledger, job_id: str) -> Record:
    record = ledger.get(job_id)
    assert record is not None
    return record


def test_dead_letters_are_listed_by_the_time_they_failed_the_last_first(ledger: Ledger) -> None:
    ledger.admit(admission("old", delay_ms=60_000), limit=None)
    for name in "abc":
        bury(ledger, name)
    ledger._client.zadd(ledger.keys["delayed"], {"old": 1})
    fail_next(ledger)
    assert letters(ledger) == ["old", "c", "b", "a"]
    assert ledger.oldest_dead_letters(EVERYTHING, limit=2) == ["a", "b"]


def test_dead_letters_are_filtered_by_code_project_and_time(ledger: Ledger) -> None:
    bury(ledger, "a", PERMANENT, project="p1")
    bury(ledger, "b", TRANSIENT, project="p1")
    bury(ledger, "c", TRANSIENT, project="p2")
    failed_at = record_of(ledger, "b").finished_at
    assert letters(ledger, DeadLetterFilter(code="render-failed")) == ["c", "b"]
    assert letters(ledger, DeadLetterFilter(project="p1")) == ["b", "a"]
    assert letters(ledger, DeadLetterFilter(code="render-failed", project="p1")) == ["b"]
    assert letters(ledger, DeadLetterFilter(failed_from=failed_at)) == ["c", "b"]
    assert letters(ledger, DeadLetterFilter(failed_until=failed_at)) == ["a"]
    assert ledger.oldest_dead_letters(DeadLetterFilter(project="p1"), limit=9) == ["a", "b"]


def test_a_replay_sends_the_original_message_with_clean_attempts_and_the_same_priority(
    ledger: Ledger,
) -> None:
    bury(ledger, "a", priority="low", project="p")
    before = record_of(ledger, "a")
    assert before.attempts == 1
    assert ledger.archive.replay(["a"], limit=20) == ["replayed"]
    after = record_of(ledger, "a")
    assert (after.state, after.attempts, after.replays) == ("queued", 0, 1)
    assert (after.error, after.finished_at, after.started_at) == (None, None, None)
    assert (after.created_at, after.priority) == (before.created_at, "low")
    assert letters(ledger) == letters(ledger, DeadLetterFilter(project="p")) == []
    job = claim_next(ledger)
    assert job.message == b"message of a"
    assert job.attempt == 1


def test_a_replay_whose_reply_was_lost_gives_the_same_answer_and_counts_once(
    ledger: Ledger,
) -> None:
    bury(ledger, "a")
    for _ in range(2):
        assert ledger.archive.replay(["a"], limit=20, token="t") == ["replayed"]
    assert record_of(ledger, "a").replays == 1
    assert ledger.stats().waiting == 1


def test_only_dead_letters_are_replayed_and_never_above_the_maximum(ledger: Ledger) -> None:
    ledger.admit(admission("done"), limit=None)
    done = claim_next(ledger)
    ledger.settle("done", done.fence, "completed")
    for name in "abc":
        bury(ledger, name)
    ledger.admit(admission("live"), limit=None)
    outcomes = ledger.archive.replay(["done", "live", "nobody", "c", "a", "b"], limit=2)
    assert outcomes == ["ended", "live", "missing", "replayed", "full", "full"]
    assert ledger.stats().depth == 2
    assert letters(ledger) == ["b", "a"]


def test_concurrent_replays_of_one_job_give_one(ledger: Ledger) -> None:
    bury(ledger, "a")
    outcomes: list[Replay] = []
    threads = [
        threading.Thread(target=lambda: outcomes.extend(ledger.archive.replay(["a"], limit=20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["live"] * 7 + ["replayed"]
    assert record_of(ledger, "a").replays == 1


def test_more_jobs_than_a_batch_are_replayed_in_order(ledger: Ledger) -> None:
    names = [f"job-{number}" for number in range(230)]
    for name in names:
        bury(ledger, name)
    assert ledger.archive.replay(names, limit=None) == ["replayed"] * 230
    assert [claim_next(ledger).job_id for _ in names] == names


def test_a_transient_letter_is_offered_for_automatic_replay_twice_and_a_permanent_one_never(
    ledger: Ledger,
) -> None:
    bury(ledger, "wrong", PERMANENT)
    bury(ledger, "a")
    for _ in range(2):
        assert ledger.archive.transient(9) == ["a"]
        ledger.archive.replay(["a"], limit=None)
        assert ledger.archive.transient(9) == []
        fail_next(ledger)
    assert ledger.archive.transient(9) == []
    assert ledger.archive.replay(["a"], limit=None) == ["replayed"], "a person still may"


def test_a_dead_letter_without_its_message_is_not_replayed(
    ledger: Ledger, client: redis.Redis
) -> None:
    bury(ledger, "a")
    client.hdel(ledger.keys.job("a"), "message")
    assert ledger.archive.replay(["a"], limit=None) == ["lost"]
    assert state(ledger, "a") == "failed"


def test_a_purge_removes_every_trace_and_only_of_dead_letters(
    ledger: Ledger, client: redis.Redis
) -> None:
    bury(ledger, "a")
    ledger.admit(admission("live"), limit=None)
    assert ledger.archive.purge("live") == "live"
    assert ledger.archive.purge("a") == "purged"
    assert ledger.archive.purge("a") == "missing"
    assert b"a" not in {
        member
        for key in client.scan_iter(ledger.keys.prefix + "*")
        if client.type(key) == b"zset"
        for member in client.zrange(key, 0, -1)
    }
    assert ledger.admit(admission("a", digest="another"), limit=None) == "admitted"


def test_a_worker_of_an_earlier_life_of_a_job_cannot_settle_the_next_one(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    zombie = claim_next(ledger)
    ledger.settle("a", zombie.fence, "failed", fields={"error": TRANSIENT})
    ledger.archive.purge("a")
    ledger.admit(admission("a"), limit=None)
    claim_next(ledger)
    assert ledger.settle("a", zombie.fence, "completed") == "stale"


def complete(ledger: Ledger, job_id: str, *, files: bool) -> None:
    ledger.admit(admission(job_id), limit=None)
    job = claim_next(ledger)
    fields: dict[str, object] = {"artifacts": [{"key": "k"}]} if files else {"plan": {}}
    assert ledger.settle(job_id, job.fence, "completed", fields=fields) == "completed"


def test_an_expired_result_is_offered_until_its_files_are_gone_and_its_record_outlives_them(
    ledger: Ledger,
) -> None:
    complete(ledger, "film", files=True)
    complete(ledger, "plan", files=False)
    assert ledger.archive.sweep(FOREVER).expired == ()
    assert record_of(ledger, "film").expired_at is None
    now = Retention(0, 1e6, 1e6, 10)
    for _ in range(2):
        assert ledger.archive.sweep(now).expired == ("film",), "a sweeper may have died"
    assert record_of(ledger, "film").expired_at is not None
    ledger.archive.results_deleted("film")
    assert ledger.archive.sweep(now).expired == ()
    assert ledger.stats().completed == 2


def test_records_are_forgotten_after_their_time_but_never_before_their_files(
    ledger: Ledger, client: redis.Redis
) -> None:
    complete(ledger, "film", files=True)
    complete(ledger, "plan", files=False)
    ledger.admit(admission("unwanted"), limit=None)
    ledger.cancel("unwanted")
    ledger.admit(admission("live"), limit=None)
    everything = Retention(0, 0, 1e6, 10)
    swept = ledger.archive.sweep(everything)
    assert (swept.expired, swept.forgotten) == (("film",), 2)
    assert [state(ledger, name) for name in ("film", "plan", "unwanted")] == [
        "completed",
        None,
        None,
    ]
    ledger.archive.results_deleted("film")
    assert ledger.archive.sweep(everything).forgotten == 1
    assert state(ledger, "live") == "queued"
    records = list(client.scan_iter(ledger.keys.job("*")))
    assert records == [ledger.keys.job("live").encode()]


def test_dead_letters_are_dropped_when_too_old_or_too_many_the_oldest_first(
    ledger: Ledger,
) -> None:
    for name in "abcd":
        bury(ledger, name)
    swept = ledger.archive.sweep(Retention(1e6, 1e6, 1e6, dead_letters=3))
    assert (swept.dropped, swept.more) == (("a",), False)
    assert letters(ledger, DeadLetterFilter(code="render-failed")) == ["d", "c", "b"]
    assert ledger.archive.sweep(Retention(1e6, 1e6, 0, 10)).dropped == ("b", "c", "d")
    assert ledger.stats().total == 0


def test_a_sweep_says_whether_another_batch_would_find_more(ledger: Ledger) -> None:
    for number in range(150):
        complete(ledger, f"job-{number}", files=False)
    everything = Retention(0, 0, 0, 1)
    first, second = ledger.archive.sweep(everything), ledger.archive.sweep(everything)
    assert (first.forgotten, first.more) == (100, True)
    assert (second.forgotten, second.more) == (50, False)


def test_recent_ends_are_counted(ledger: Ledger) -> None:
    complete(ledger, "a", files=False)
    bury(ledger, "b")
    bury(ledger, "c")
    assert ledger.archive.ended_since(60) == (1, 2)
    assert ledger.archive.ended_since(0) == (0, 0)


def test_after_an_outage_leases_are_spared_until_their_holders_could_renew_them(
    settings: Settings, client: redis.Redis
) -> None:
    ledger = Ledger(client, queue=settings.preview_queue_name, lease_seconds=30, max_starts=2)
    ledger.admit(admission("a"), limit=None)
    job = claim_next(ledger)
    ledger.recover()
    client.zadd(ledger.keys["active"], {"a": 1})  # the lease has run out …
    client.hset(ledger.keys["round"], "ran_at", 1)  # … while nobody could ask for a recovery
    client.delete(ledger.keys["recovering"])
    assert ledger.recover() == []
    assert ledger.settle("a", job.fence, "completed") == "completed", "it was alive"
    ledger.admit(admission("b"), limit=None)
    claim_next(ledger)
    client.zadd(ledger.keys["active"], {"b": 1})
    client.delete(ledger.keys["recovering"])
    client.hset(ledger.keys["round"], "amnesty_until", 1)  # its time is over
    assert ledger.recover() == [("b", "queued", "stable")]
