"""The broker under Dramatiq's own worker: real threads, real server, real scripts."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from dramatiq.middleware import CurrentMessage

from app.broker import claimed
from app.errors import AssetFailed, JobConflict, QueueFull
from tests.broker.conftest import Rig
from tests.broker.waiting import ended, idle
from tests.conftest import wait_until
from tests.support.payloads import payload

pytestmark = pytest.mark.real_redis


def test_a_message_sent_by_plain_dramatiq_is_run_and_completed(rig: Rig) -> None:
    seen: list[Any] = []
    actor = rig.actor(seen.append)
    rig.worker.start()
    actor.send(payload("job-1"))
    record = ended(rig, "job-1")
    assert record.state == "completed"
    assert (record.project, record.request, record.attempts) == ("project-1", "request-1", 1)
    assert seen == [payload("job-1")]
    idle(rig)
    assert rig.counted("completed") == rig.counted("started") == 1


def test_an_idle_worker_starts_a_job_long_before_any_polling_interval(rig: Rig) -> None:
    started = threading.Event()
    actor = rig.actor(lambda _payload: started.set())
    rig.worker.start()
    wait_until(lambda: rig.ledger.stats().workers, "the consumer shows itself")
    actor.send(payload())
    assert started.wait(10)


def test_an_error_is_retried_with_backoff_until_it_succeeds(rig: Rig) -> None:
    attempts: list[int] = []

    def flaky(_payload: Any) -> None:
        attempts.append(claimed(CurrentMessage.get_current_message()).attempt)
        if len(attempts) < 3:
            raise ValueError("not yet")

    actor = rig.actor(flaky)
    rig.worker.start()
    actor.send(payload())
    assert ended(rig, "job-1").state == "completed"
    assert attempts == [1, 2, 3]
    idle(rig)
    assert rig.counted("retried") == 2


def test_a_job_that_spends_all_attempts_becomes_a_dead_letter_without_secrets(rig: Rig) -> None:
    def broken(_payload: Any) -> None:
        raise RuntimeError("password=hunter2 in /etc/secret")

    actor = rig.actor(broken)
    rig.worker.start()
    actor.send(payload())
    record = ended(rig, "job-1")
    assert (record.state, record.attempts) == ("failed", 3)
    assert record.error is not None
    assert record.error["code"] == "render-failed"
    assert record.error["requestId"] == "request-1"
    assert "hunter2" not in str(record.error)


def test_a_permanent_error_fails_at_once(rig: Rig) -> None:
    def broken(_payload: Any) -> None:
        raise AssetFailed("The picture 'board' is truncated.")

    actor = rig.actor(broken)
    rig.worker.start()
    actor.send(payload())
    record = ended(rig, "job-1")
    assert (record.state, record.attempts) == ("failed", 1)
    assert record.error is not None
    assert record.error["detail"] == "The picture 'board' is truncated."
    idle(rig)
    assert rig.counted("failed") == 1


def test_a_bad_payload_is_a_dead_letter_and_the_actor_is_never_called(rig: Rig) -> None:
    called = threading.Event()
    actor = rig.actor(lambda _payload: called.set())
    rig.worker.start()
    actor.send({"jobId": "bad", "surprise": 1})
    record = ended(rig, "bad")
    assert record.state == "failed"
    assert record.error is not None
    assert record.error["code"] == "validation-failed"
    assert "/surprise" in [item["pointer"] for item in record.error["errors"]]
    idle(rig)
    assert not called.is_set()
    assert rig.counted("invalid") == 1
    assert rig.counted("started") == 0


def test_a_payload_that_is_no_object_is_a_dead_letter_under_the_messages_id(rig: Rig) -> None:
    actor = rig.actor(lambda _payload: None)
    rig.worker.start()
    message = actor.send(["no", "object"])
    assert ended(rig, message.message_id).state == "failed"


def test_a_dry_run_is_completed_with_its_plan_and_the_actor_is_never_called(rig: Rig) -> None:
    called = threading.Event()
    actor = rig.actor(lambda _payload: called.set())
    rig.worker.start()
    actor.send(payload("dry", dryRun=True))
    record = ended(rig, "dry")
    assert (record.state, record.plan, record.dry_run) == ("completed", {"steps": 1}, True)
    idle(rig)
    assert not called.is_set()
    assert rig.counted("dryrun") == 1


def test_sending_the_same_job_twice_runs_it_once(rig: Rig) -> None:
    runs: list[Any] = []
    actor = rig.actor(runs.append)
    actor.send(payload())
    actor.send(payload())
    with pytest.raises(JobConflict):
        actor.send(payload(projectId="another"))
    rig.worker.start()
    ended(rig, "job-1")
    idle(rig)
    assert len(runs) == 1


def test_sending_to_a_full_queue_is_refused(rig: Rig) -> None:
    actor = rig.actor(lambda _payload: None)
    for number in range(20):
        actor.send(payload(f"job-{number}"))
    with pytest.raises(QueueFull, match="20"):
        actor.send(payload("one-too-many"))


def test_no_more_jobs_run_at_once_than_there_are_slots(rig: Rig) -> None:
    running, most, lock = [0], [0], threading.Lock()

    def count(_payload: Any) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.05)  # the work whose overlap is counted
        with lock:
            running[0] -= 1

    actor = rig.actor(count)
    for number in range(8):
        actor.send(payload(f"job-{number}"))
    rig.worker.start()
    rig.broker.join(rig.ledger.queue, timeout=30_000)
    assert most[0] == 2, "two slots, though there are four threads"
