"""A worker whose attempts all fail slows down."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from app.errors import AssetFailed, RenderFailed
from app.middleware import Cooldown, JobMetrics
from app.middleware.cooldown import rest_seconds
from tests.broker.conftest import Rig
from tests.broker.waiting import ended
from tests.conftest import wait_until
from tests.ledger.jobs import claim_next
from tests.support.payloads import payload


def test_a_rest_begins_with_the_second_fault_and_doubles_up_to_the_longest() -> None:
    rests = [rest_seconds(faults, first=1, longest=30) for faults in range(9)]
    assert rests == [0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert rest_seconds(10_000, first=1, longest=30) == 30
    assert {rest_seconds(faults, first=1, longest=0) for faults in range(9)} == {0}


@pytest.fixture
def cooled(rig: Rig) -> Rig:
    """A worker of two slots that would rest for longer than any test waits."""
    cooldown = Cooldown(rig.shutdown, first_seconds=300, longest_seconds=300)
    rig.broker.add_middleware(cooldown, before=JobMetrics)
    return rig


def test_a_worker_whose_attempts_fail_leaves_the_jobs_to_others(cooled: Rig) -> None:
    planned = threading.Event()

    def fail(_payload: Any) -> None:
        if cooled.counted("retried"):
            planned.wait(10)
        raise RenderFailed("it always does")

    actor = cooled.actor(fail)
    actor.send(payload("poison"))
    cooled.worker.start()
    wait_until(lambda: cooled.counted("retried") == 1, "it has failed once")
    actor.send(payload("plan", dryRun=True))
    assert ended(cooled, "plan").state == "completed", "which says nothing about its renders"
    planned.set()
    assert ended(cooled, "poison").attempts == 3
    wait_until(lambda: cooled.counted("failed") == 1, "it is told before the rest")
    actor.send(payload("other"))
    assert cooled.slots.busy(cooled.ledger.queue) == 2, "both slots rest"
    assert claim_next(cooled.ledger).job_id == "other"
    cooled.worker.stop()  # a shutdown ends the rest: this returns


def test_mistakes_of_authors_and_a_fault_between_good_renders_cost_no_rest(cooled: Rig) -> None:
    outcomes: list[Exception | None] = [
        RenderFailed("once"), None, AssetFailed("absent"), AssetFailed("absent"),
        RenderFailed("once"), None, RenderFailed("once"), None,
    ]  # fmt: skip

    def work(_payload: Any) -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    actor = cooled.actor(work)
    cooled.worker.start()
    states = []
    for number in range(5):
        actor.send(payload(f"job-{number}"))
        states.append(ended(cooled, f"job-{number}").state)
        wait_until(lambda: not cooled.slots.busy(cooled.ledger.queue), "its slot is free")
    assert states == ["completed", "failed", "failed", "completed", "completed"]
