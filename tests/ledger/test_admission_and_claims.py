"""Jobs become claimable once and are handed out in order, on each kind of server."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from app.ledger import Claimed, Ledger, connect
from app.settings import Settings
from tests.ledger.jobs import INFO, admission, claim, claim_next

pytestmark = pytest.mark.real_redis


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
    claim_next(ledger)
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


def test_jobs_of_one_priority_are_claimed_in_the_order_of_admission(ledger: Ledger) -> None:
    for name in "abc":
        ledger.admit(admission(name), limit=None)
    assert [claim_next(ledger).job_id for _ in range(3)] == ["a", "b", "c"]
    assert claim(ledger) is None


def test_a_claim_hands_out_the_message_and_a_rising_fence(ledger: Ledger) -> None:
    ledger.admit(admission("a"), limit=None)
    first = claim_next(ledger)
    assert first == Claimed("a", first.fence, b"message of a", 1, 5, first.waited_seconds)
    ledger.settle("a", first.fence, "released")
    assert claim_next(ledger).fence > first.fence


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
    assert not client.hexists(ledger.keys.job("a"), "due_at")
