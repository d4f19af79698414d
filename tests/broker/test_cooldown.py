"""A worker whose attempts all fail slows down."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from dramatiq import Middleware

from app.errors import AssetFailed, AssetUnavailable, RenderFailed
from app.middleware import Cooldown, JobMetrics
from app.middleware.cooldown import rest_seconds
from tests.broker.conftest import Rig
from tests.broker.waiting import ended
from tests.conftest import wait_until
from tests.ledger.jobs import claim
from tests.support.payloads import payload


def test_a_rest_begins_with_the_second_job_and_doubles_up_to_the_longest() -> None:
    rests = [rest_seconds(faults, first=1, longest=30) for faults in range(9)]
    assert rests == [0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert rest_seconds(10_000, first=1, longest=30) == 30
    assert {rest_seconds(faults, first=1, longest=0) for faults in range(9)} == {0}


@pytest.fixture
def cooled(rig: Rig) -> Rig:
    """A worker of two slots that would rest for longer than any test waits."""
    cooldown = Cooldown(rig.slots, first_seconds=300, longest_seconds=300)
    rig.broker.add_middleware(cooldown, before=JobMetrics)
    return rig


def test_a_worker_that_fails_one_job_after_the_other_leaves_the_rest_to_others(
    cooled: Rig,
) -> None:
    def fail(_payload: Any) -> None:
        raise RenderFailed("it always does")

    actor = cooled.actor(fail)
    cooled.worker.start()
    actor.send(payload("first"))
    assert ended(cooled, "first").attempts == 3, "one job alone may be at fault"
    actor.send(payload("plan", dryRun=True))
    assert ended(cooled, "plan").state == "completed", "which says nothing about its renders"
    actor.send(payload("second"))
    wait_until(lambda: cooled.counted("retried") == 4, "it has failed in both slots")
    actor.send(payload("third"))

    def another_gets_it() -> bool:
        job = claim(cooled.ledger, "another")
        return job is not None and job.job_id == "third"

    wait_until(another_gets_it, "the third is still there to be claimed")
    wait_until(
        lambda: (2, 0, 2) in [(w.slots, w.busy, w.resting) for w in cooled.ledger.stats().workers],
        "it says that nothing runs in its slots",
    )
    cooled.worker.stop()  # a shutdown ends the rest: this returns


def test_mistakes_of_authors_and_a_fault_between_good_renders_cost_no_rest(cooled: Rig) -> None:
    away = [AssetUnavailable("away")] * 3
    outcomes: list[Exception | None] = [
        RenderFailed("once"), None, AssetFailed("absent"), AssetFailed("absent"), *away, *away,
        RenderFailed("once"), None, RenderFailed("once"), None,
    ]  # fmt: skip

    def work(_payload: Any) -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    actor = cooled.actor(work)
    cooled.worker.start()
    states = []
    for number in range(7):
        actor.send(payload(f"job-{number}"))
        states.append(ended(cooled, f"job-{number}").state)
        wait_until(lambda: not cooled.slots.busy(cooled.ledger.queue), "its slot is free")
    assert states == ["completed", *["failed"] * 4, "completed", "completed"]


class HeldUp(Middleware):
    """Holds a thread up between the end of its attempt and what is told of it."""

    def __init__(self) -> None:
        self.first, self.go_on = True, threading.Event()

    def after_process_message(self, *_: Any, **__: Any) -> None:
        if self.first:
            self.first = False
            self.go_on.wait(60)


def test_a_fault_that_is_told_after_the_good_end_of_its_job_begins_no_row(cooled: Rig) -> None:
    held = HeldUp()
    cooled.broker.add_middleware(held, after=Cooldown)
    outcomes: list[Exception | None] = [RenderFailed("once"), None, RenderFailed("once"), None]

    def work(_payload: Any) -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    actor = cooled.actor(work)
    cooled.worker.start()
    actor.send(payload("first"))
    assert ended(cooled, "first").state == "completed", "in the other slot"
    wait_until(lambda: cooled.slots.busy(cooled.ledger.queue) == 1, "which is told of")
    held.go_on.set()
    wait_until(lambda: not cooled.slots.busy(cooled.ledger.queue), "the fault is told of")
    actor.send(payload("second"))
    assert ended(cooled, "second").state == "completed"
    wait_until(lambda: not cooled.slots.busy(cooled.ledger.queue), "no slot rests", seconds=10)
