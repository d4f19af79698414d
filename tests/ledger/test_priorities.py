"""Nobody waits for ever: how many claims go before a job, whatever else arrives.

The bound and its proof. Turns go round: ten of them, six for high jobs, three for normal, one for
low. A claim that hands out a job takes one turn, and in the turn of a class its first job is handed
out, if there is one. The jobs of a class are claimed in the order in which they became claimable.

So a job that is the k-th of its class has been handed out, at the latest, when its class has had k
turns: each takes one of the k, and those that arrive later stand behind it, in whatever class. Any
ten claims in a row hold one turn of low, hence **at most 10·k claims** for a low job. The turns of
normal are the 2nd, 5th and 9th: 3, 4 and 3 apart, and k such steps in a row make at most ⌈10·k/3⌉.
For high, the turns are at most 2 apart. A class that is empty passes its turn on, by which others
are handed out earlier, never later. A job that is given back stands at its old place again: whom it
then precedes has a k that is one greater.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from math import ceil

import pytest
import redis
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.ledger import PRIORITIES, Ledger, Priority, connect
from app.settings import Settings
from tests.ledger.jobs import INFO, admission, claim, claim_next
from tests.ledger.model import TURNS

#: Most claims until the k-th job of a class has been handed out.
BOUNDS: dict[Priority, Callable[[int], int]] = {
    "low": lambda k: 10 * k,
    "normal": lambda k: ceil(10 * k / 3),
    "high": lambda k: 2 * k,
}


#: A database of the embedded server that no other test uses.
DATABASE = 8
CALLS = st.sampled_from([*PRIORITIES, "claim", "claim", "give back"])


class Crowd:
    """A queue whose jobs count the claims that go before them."""

    def __init__(self, client: redis.Redis, *, turn: int) -> None:
        self.ledger = Ledger(
            client, queue=f"turns-{uuid.uuid4().hex}", lease_seconds=60, max_starts=9
        )
        client.set(self.ledger.keys["turn"], turn)
        #: Waiting jobs of each class in their order, as (number of arrival, k, claims so far).
        self.waiting: dict[Priority, list[list[int]]] = {name: [] for name in PRIORITIES}
        self.running: list[tuple[Priority, int, int]] = []
        self.arrived = 0

    def admit(self, priority: Priority) -> None:
        self.arrived += 1
        queue = self.waiting[priority]
        queue.append([self.arrived, len(queue) + 1, 0])
        self.ledger.admit(admission(f"{priority}-{self.arrived}", priority=priority), limit=None)

    def claim(self) -> Priority | None:
        """Claim; fail when a job that still waits has waited for its bound."""
        job = claim(self.ledger)
        if job is None:
            assert not any(self.waiting.values())
            return None
        name, _, number = job.job_id.partition("-")
        priority = next(known for known in PRIORITIES if known == name)
        assert self.waiting[priority].pop(0)[0] == int(number), "out of order"
        self.running.append((priority, int(number), job.fence))
        for known, jobs in self.waiting.items():
            for waits in jobs:
                waits[2] += 1
                assert waits[2] < BOUNDS[known](waits[1]), (known, waits)
        return priority

    def give_back(self) -> None:
        """Give back the job that has run for longest, to its old place."""
        if not self.running:
            return
        priority, number, fence = self.running.pop(0)
        self.ledger.settle(f"{priority}-{number}", fence, "released")
        queue = self.waiting[priority]
        before = [waits for waits in queue if waits[0] < number]
        behind = [waits for waits in queue if waits[0] > number]
        for waits in behind:
            waits[1] += 1
        self.waiting[priority] = [*before, [number, len(before) + 1, 0], *behind]


@pytest.fixture(scope="module")
def embedded(embedded_url: str) -> Iterator[redis.Redis]:
    connection = connect(Settings(redis_url=f"{embedded_url}/{DATABASE}"))
    yield connection
    connection.flushdb()
    connection.close()


@given(
    turn=st.integers(0, 9),
    flooded=st.sets(st.sampled_from(PRIORITIES)),
    calls=st.lists(CALLS, min_size=20, max_size=60),
)
@hypothesis_settings(max_examples=30, deadline=None, print_blob=True)
def test_no_order_of_arrivals_and_claims_lets_a_job_wait_for_longer(
    embedded: redis.Redis, turn: int, flooded: set[Priority], calls: list[str]
) -> None:
    crowd = Crowd(embedded, turn=turn)
    for call in calls:
        if call == "claim":
            for priority in flooded:  # there is always more of it
                crowd.admit(priority)
            crowd.claim()
        elif call == "give back":
            crowd.give_back()
        else:
            crowd.admit(next(known for known in PRIORITIES if known == call))


@pytest.mark.parametrize("priority", ["low", "normal"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_under_a_flood_of_all_others_the_bound_is_reached_and_kept(
    embedded: redis.Redis, priority: Priority, k: int
) -> None:
    def claims_until_the_kth(turn: int) -> int:
        crowd = Crowd(embedded, turn=turn)
        for _ in range(k):
            crowd.admit(priority)
        number = 0
        while crowd.waiting[priority]:
            for other in {*PRIORITIES} - {priority}:
                crowd.admit(other)
            crowd.claim()
            number += 1
        return number

    assert max(map(claims_until_the_kth, range(10))) == BOUNDS[priority](k)


@pytest.mark.parametrize("priority", PRIORITIES)
def test_the_bounds_follow_from_the_ten_turns(priority: Priority) -> None:
    turns = [number for number in range(1000) if TURNS[number % len(TURNS)] == priority]
    for k in range(1, 50):
        # From just after a turn to the k-th that follows; the first ten turns are all there are.
        longest = max(turns[first + k] - turns[first] for first in range(10))
        assert longest <= BOUNDS[priority](k)
        assert longest == BOUNDS[priority](k) or priority == "high"


def retried(ledger: Ledger, client: redis.Redis) -> None:
    assert ledger.settle("a", claim_next(ledger).fence, "delayed", delay_seconds=60) == "delayed"
    client.zadd(ledger.keys["delayed"], {"a": 1})
    ledger.claim("other", token="t", free=False, info=INFO)


def released(ledger: Ledger, _client: redis.Redis) -> None:
    assert ledger.settle("a", claim_next(ledger).fence, "released") == "queued"


def recovered(ledger: Ledger, client: redis.Redis) -> None:
    claim_next(ledger)
    client.zadd(ledger.keys["active"], {"a": 1})
    assert ledger.recover() == [("a", "queued", "stable")]


def relisted(ledger: Ledger, client: redis.Redis) -> None:
    assert client.delete(*(ledger.keys[f"waiting:{name}"] for name in PRIORITIES)) == 1
    assert ledger.recover() == [("a", "relisted", "")]


def replayed(ledger: Ledger, _client: redis.Redis) -> None:
    assert ledger.settle("a", claim_next(ledger).fence, "failed") == "failed"
    assert ledger.archive.replay(["a"], limit=1) == ["replayed"]


@pytest.mark.real_redis
@pytest.mark.parametrize("priority", PRIORITIES)
@pytest.mark.parametrize("back", [retried, released, recovered, relisted, replayed])
def test_a_job_that_comes_back_keeps_its_priority(
    ledger: Ledger,
    client: redis.Redis,
    back: Callable[[Ledger, redis.Redis], None],
    priority: Priority,
) -> None:
    ledger.admit(admission("a", priority=priority), limit=None)
    back(ledger, client)
    assert ledger.stats().by_priority == {name: int(name == priority) for name in PRIORITIES}
    assert claim_next(ledger).job_id == "a"
    record = ledger.get("a")
    assert record is not None
    assert record.priority == priority
