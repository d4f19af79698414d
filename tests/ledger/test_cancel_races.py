"""Cancellations that race with everything else that may happen to a job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import redis

from app.ledger import Ledger, connect
from app.ledger.records import Fate
from app.settings import Settings
from tests.ledger.jobs import admission, claim, claim_next, state

#: Races of each kind; the order of the calls differs from one to the next.
ROUNDS = 40


def race(*calls: Callable[[], object]) -> list[Any]:
    """Make calls at once; returns their answers."""
    answers: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(number: int) -> None:
        start.wait()
        answers[number] = calls[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def others(settings: Settings) -> list[Ledger]:
    """The same queue over connections of their own."""
    return [
        Ledger(connect(settings), queue=settings.preview_queue_name, lease_seconds=30, max_starts=3)
        for _ in range(2)
    ]


@pytest.mark.parametrize("fate", ["completed", "failed", "delayed", "released"])
def test_an_attempt_that_ends_while_it_is_cancelled_twice(
    ledger: Ledger, others: list[Ledger], fate: Fate
) -> None:
    for number in range(ROUNDS):
        name = f"job-{number}"
        ledger.admit(admission(name), limit=None)
        job = claim_next(ledger)
        first, second, settled = race(
            partial(others[0].cancel, name),
            partial(others[1].cancel, name),
            partial(ledger.settle, name, job.fence, fate, delay_seconds=60),
        )
        told = {first, second}
        if "ended" in told:
            assert told == {"ended"}
            assert settled == state(ledger, name) == fate
        else:
            assert told <= {"requested", "cancelled", "already"}
            assert state(ledger, name) == "cancelled"
        assert ledger.stats().depth == 0, "nothing is left to run"
    assert claim(ledger) is None


def test_a_delayed_job_that_becomes_due_while_it_is_cancelled(
    ledger: Ledger, others: list[Ledger], client: redis.Redis
) -> None:
    for number in range(ROUNDS):
        name = f"job-{number}"
        ledger.admit(admission(name, delay_ms=60_000), limit=None)
        client.zadd(ledger.keys["delayed"], {name: 1})
        cancelled, job = race(partial(others[0].cancel, name), lambda: claim(others[1]))
        if cancelled == "requested":
            assert job is not None, "it was claimed first"
            assert ledger.settle(name, job.fence, "completed") == "cancelled"
        else:
            assert (cancelled, job) == ("cancelled", None)
        assert state(ledger, name) == "cancelled"


def test_a_job_that_is_recovered_while_it_is_cancelled(
    settings: Settings, others: list[Ledger], client: redis.Redis
) -> None:
    ledger = Ledger(client, queue=settings.preview_queue_name, lease_seconds=0.001, max_starts=3)
    for number in range(ROUNDS):
        name = f"job-{number}"
        ledger.admit(admission(name), limit=None)
        job = claim_next(ledger)
        client.delete(ledger.keys["recovering"])
        cancelled, _ = race(partial(others[0].cancel, name), others[1].recover)
        assert cancelled in ("requested", "cancelled")
        client.delete(ledger.keys["recovering"])
        ledger.recover()
        assert state(ledger, name) == "cancelled"
        assert ledger.settle(name, job.fence, "completed") == "stale"


def test_a_dead_letter_that_is_replayed_purged_and_cancelled_at_once(
    ledger: Ledger, others: list[Ledger]
) -> None:
    for number in range(ROUNDS):
        name = f"job-{number}"
        ledger.admit(admission(name), limit=None)
        job = claim_next(ledger)
        ledger.settle(name, job.fence, "failed", fields={"error": {"code": "c"}})
        replayed, purged, cancelled = race(
            partial(ledger.archive.replay, [name], limit=None),
            partial(others[0].archive.purge, name),
            partial(others[1].cancel, name),
        )
        told = (*replayed, purged, cancelled, state(ledger, name))
        assert told in {
            ("replayed", "live", "cancelled", "cancelled"),
            ("replayed", "ended", "cancelled", "cancelled"),
            ("replayed", "live", "ended", "queued"),
            ("missing", "purged", "ended", None),
            ("missing", "purged", "missing", None),
        }
        ledger.cancel(name)
    assert claim(ledger) is None
