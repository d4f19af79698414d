"""What dead workers held comes back, and no live job is lost from view."""

from __future__ import annotations

import pytest
import redis

from app.ledger import Fate, Ledger, Recovered, Recovery
from app.settings import Settings
from tests.conftest import wait_until
from tests.ledger.audit import contents, kind_of
from tests.ledger.jobs import INFO, admission, claim, claim_next, state

pytestmark = pytest.mark.real_redis


@pytest.fixture
def ledger(settings: Settings, client: redis.Redis) -> Ledger:
    """A ledger whose leases end almost at once."""
    return Ledger(client, queue=settings.preview_queue_name, lease_seconds=0.05, max_starts=2)


def recover(ledger: Ledger, client: redis.Redis) -> list[Recovered]:
    """Recover now, whoever did so lately."""
    client.delete(ledger.keys["recovering"])
    return ledger.recover()


def recovered(ledger: Ledger, client: redis.Redis) -> dict[str, Recovery]:
    """Recover until something is; leases end by themselves."""
    found: dict[str, Recovery] = {}

    def look() -> bool:
        found.update({job.job_id: job.outcome for job in recover(ledger, client)})
        return bool(found)

    wait_until(look, "something is recovered")
    return found


def test_a_job_whose_worker_fell_silent_goes_back_to_the_front(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    ledger.admit(admission("b"), limit=None)
    dead = claim_next(ledger)
    assert recovered(ledger, client) == {"a": "queued"}
    again = claim_next(ledger)
    assert again.job_id == "a"
    assert again.fence > dead.fence
    assert again.attempt == 1, "a death costs a start, no attempt"
    assert ledger.settle("a", dead.fence, "completed") == "stale"


def test_a_lost_attempt_is_told_with_the_track_of_the_worker_that_had_it(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a", track="stable"), limit=None)
    ledger.claim("new", token="t", free=True, info=INFO | {"track": "canary"})
    client.zadd(ledger.keys["active"], {"a": 1})  # the worker died
    assert recover(ledger, client) == [("a", "queued", "canary")]
    client.delete(ledger.keys["waiting:normal"])
    wait_until(
        lambda: ("a", "relisted", "") in recover(ledger, client), "it is found, and no worker lost"
    )


def test_a_job_whose_lease_is_renewed_stays_where_it_is(
    settings: Settings, client: redis.Redis
) -> None:
    ledger = Ledger(client, queue=settings.preview_queue_name, lease_seconds=600, max_starts=2)
    ledger.admit(admission("a"), limit=None)
    claim_next(ledger)
    assert recover(ledger, client) == []
    assert state(ledger, "a") == "active"


def test_a_queue_that_retains_nothing_forgets_what_kills_its_workers(
    settings: Settings, client: redis.Redis
) -> None:
    ledger = Ledger(
        client, queue=settings.preview_queue_name, lease_seconds=0.05, max_starts=1, retain=False
    )
    ledger.admit(admission("a"), limit=None)
    claim_next(ledger)
    assert recovered(ledger, client) == {"a": "failed"}
    assert ledger.stats().total == 0
    assert state(ledger, "a") is None


def test_a_job_that_kills_its_workers_becomes_a_dead_letter(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    ledger.admit(admission("sibling"), limit=None)
    claim_next(ledger)
    assert recovered(ledger, client) == {"a": "queued"}
    claim_next(ledger)
    assert recovered(ledger, client) == {"a": "failed"}
    record = ledger.get("a")
    assert record is not None
    assert record.error is not None
    assert record.error["code"] == "worker-lost"
    assert client.hget(ledger.keys.job("a"), "message") is not None, "it can be replayed"
    assert claim_next(ledger).job_id == "sibling"


def test_a_cancelled_job_of_a_dead_worker_ends_as_cancelled(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    claim_next(ledger)
    assert ledger.cancel("a") == "requested"
    assert recovered(ledger, client) == {"a": "cancelled"}
    assert claim(ledger) is None


def test_one_of_all_that_ask_recovers_in_a_period(ledger: Ledger, client: redis.Redis) -> None:
    ledger.recover()
    ledger.admit(admission("a"), limit=None)
    claim_next(ledger)
    assert ledger.recover() == []
    ttl = client.pttl(ledger.keys["recovering"])
    assert isinstance(ttl, int)
    assert 0 < ttl <= 2000


@pytest.mark.parametrize("lost_from", ["waiting:normal", "delayed", "active"])
def test_a_live_job_that_no_list_holds_is_found_again(
    settings: Settings, client: redis.Redis, lost_from: str
) -> None:
    ledger = Ledger(client, queue=settings.preview_queue_name, lease_seconds=600, max_starts=2)
    ledger.admit(admission("a", delay_ms=60_000 if lost_from == "delayed" else 0), limit=None)
    if lost_from == "active":
        claim_next(ledger)
    client.delete(ledger.keys[lost_from])
    assert recovered(ledger, client) == {"a": "relisted"}
    assert claim_next(ledger).job_id == "a"


def test_a_live_job_without_its_message_becomes_a_dead_letter(
    ledger: Ledger, client: redis.Redis
) -> None:
    ledger.admit(admission("a"), limit=None)
    claim_next(ledger)
    client.hdel(ledger.keys.job("a"), "message")
    assert recovered(ledger, client) == {"a": "failed"}


def test_the_round_reaches_every_job_of_a_long_queue(ledger: Ledger, client: redis.Redis) -> None:
    for number in range(250):
        ledger.admit(admission(f"job-{number}"), limit=None)
    client.zrem(ledger.keys["waiting:normal"], "job-0", "job-120", "job-249")
    found: dict[str, Recovery] = {}
    for _ in range(8):
        found.update({job.job_id: job.outcome for job in recover(ledger, client)})
    assert found == {"job-0": "relisted", "job-120": "relisted", "job-249": "relisted"}
    assert ledger.stats().waiting == 250


@pytest.mark.parametrize("lost_from", ["waiting:normal", "delayed", "active"])
def test_a_record_that_was_deleted_by_hand_does_not_stop_the_round(
    settings: Settings, client: redis.Redis, lost_from: str
) -> None:
    ledger = Ledger(client, queue=settings.preview_queue_name, lease_seconds=600, max_starts=2)
    for name in ("gone", "lost"):
        delay_ms = 60_000 if lost_from == "delayed" else 0
        ledger.admit(admission(name, delay_ms=delay_ms), limit=None)
        if lost_from == "active":
            claim_next(ledger)
    client.delete(ledger.keys.job("gone"))
    client.zrem(ledger.keys[lost_from], "lost")
    assert recovered(ledger, client) == {"lost": "relisted"}
    assert claim_next(ledger).job_id == "lost"
    assert claim(ledger) is None
    assert ledger.stats().depth == 1


@pytest.mark.parametrize("lost", ["index:state:queued", "index:all"])
def test_a_job_is_found_as_long_as_one_index_knows_it(
    ledger: Ledger, client: redis.Redis, lost: str
) -> None:
    for number in range(3):
        ledger.admit(admission(f"job-{number}"), limit=None)
    known = {name: client.zrange(ledger.keys[name], 0, -1) for name in ("index:all", lost)}
    for name in (lost, f"{lost}:project:project", "index:project:project", "waiting:normal"):
        client.delete(ledger.keys[name])
    found: dict[str, Recovery] = {}
    for _ in range(6):  # the rounds over jobs of three states, and over all
        found.update({job.job_id: job.outcome for job in recover(ledger, client)})
    assert found == {f"job-{number}": "relisted" for number in range(3)}
    for name, members in known.items():
        assert client.zrange(ledger.keys[name], 0, -1) == members, "in the order of creation"
    assert len(ledger.list_jobs(state="queued", project="project")[0]) == 3
    assert len(ledger.list_jobs(project="project")[0]) == 3
    assert claim_next(ledger).job_id == "job-0"


def test_the_round_over_all_jobs_reaches_those_that_have_ended(
    ledger: Ledger, client: redis.Redis
) -> None:
    for number in range(120):
        ledger.admit(admission(f"job-{number}"), limit=None)
        ledger.cancel(f"job-{number}")
    client.delete(ledger.keys["index:state:cancelled"])
    client.delete(ledger.keys.job("job-7"))
    for _ in range(3):
        recover(ledger, client)
    assert client.zcard(ledger.keys["index:state:cancelled"]) == 119
    assert client.zcard(ledger.keys["index:all"]) == 119


def test_jobs_that_have_ended_are_listed_again_where_they_were(
    ledger: Ledger, client: redis.Redis
) -> None:
    transient = {"code": "storage-unavailable", "retryable": True}
    ends: tuple[tuple[str, Fate, dict[str, object]], ...] = (
        ("film", "completed", {"artifacts": [{"key": "k"}]}),
        ("plan", "completed", {"plan": {}}),
        ("swept", "completed", {"artifacts": [{"key": "k"}]}),
        ("letter", "failed", {"error": transient}),
        ("dropped", "cancelled", {}),
    )
    for job_id, outcome, fields in ends:
        ledger.admit(admission(job_id), limit=None)
        ledger.settle(job_id, claim_next(ledger).fence, outcome, fields=fields)
    client.hset(ledger.keys.job("swept"), "expired_at", 1)
    ledger.archive.results_deleted("swept")
    before = contents(client, ledger.keys)
    sets = [name for name in before if kind_of(name) == "zset" and name != "workers"]
    client.delete(*(ledger.keys[name] for name in sets if name != "index:all"))
    recover(ledger, client)
    after = contents(client, ledger.keys)
    assert {name: after[name] for name in sets} == {name: before[name] for name in sets}
    assert set(before["results"]) == {"film"}
