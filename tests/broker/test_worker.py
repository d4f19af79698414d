"""The broker under Dramatiq's own worker: real threads, real server, real scripts."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import redis
from dramatiq import Middleware
from dramatiq.middleware import CurrentMessage, SkipMessage

from app.broker import Verdict, claimed
from app.errors import AssetFailed, BrokerUnavailable, JobConflict, QueueFull, RenderFailed
from app.ledger import Admission, Record
from app.middleware import Validation
from tests.broker.conftest import Rig
from tests.conftest import wait_until
from tests.support.payloads import payload

pytestmark = pytest.mark.real_redis


def ended(rig: Rig, job_id: str) -> Record:
    def done() -> bool:
        record = rig.ledger.get(job_id)
        return record is not None and record.state in {"completed", "failed", "cancelled"}

    wait_until(done, f"{job_id} ends")
    record = rig.ledger.get(job_id)
    assert record is not None
    return record


def idle(rig: Rig) -> None:
    wait_until(lambda: rig.slots.busy(rig.ledger.queue) == 0, "all slots are free")


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


@pytest.mark.parametrize(
    "message",
    [b"\xff\x00 no message", b"{}", b'{"queue_name": "q"}', b""],
    ids=["binary", "empty-object", "half", "nothing"],
)
def test_a_message_that_cannot_be_decoded_is_a_dead_letter_and_others_go_on(
    rig: Rig, message: bytes
) -> None:
    actor = rig.actor(lambda _payload: None)
    poison = Admission("poison", "m", message, "d", max_attempts=3)
    rig.ledger.admit(poison, limit=None)
    actor.send(payload("good"))
    rig.worker.start()
    record = ended(rig, "poison")
    assert record.state == "failed"
    assert record.error is not None
    assert record.error["code"] == "message-undecodable"
    assert ended(rig, "good").state == "completed"


def test_a_message_for_an_unknown_actor_is_a_dead_letter(rig: Rig) -> None:
    actor = rig.actor(lambda _payload: None, name="known")
    message = actor.message().copy(actor_name="unknown")
    rig.broker.enqueue(message)
    rig.worker.start()
    record = ended(rig, message.message_id)
    assert record.error is not None
    assert "unknown" in record.error["detail"]


def test_a_delayed_message_waits_in_redis(rig: Rig) -> None:
    actor = rig.actor(lambda _payload: None)
    actor.send_with_options(args=(payload(),), delay=60_000)
    rig.worker.start()
    wait_until(lambda: rig.ledger.stats().workers, "the consumer shows itself")
    assert rig.ledger.stats().delayed == 1


def test_a_job_cancelled_before_it_is_taken_never_runs(rig: Rig) -> None:
    called = threading.Event()
    actor = rig.actor(lambda _payload: called.set())
    actor.send(payload("gone"))
    rig.ledger.cancel("gone")
    actor.send(payload("next"))
    rig.worker.start()
    assert ended(rig, "next").state == "completed"
    record = rig.ledger.get("gone")
    assert record is not None
    assert record.state == "cancelled"


def test_a_message_that_another_middleware_drops_does_not_stay_active(rig: Rig) -> None:
    class Drop(Middleware):
        def before_process_message(self, *_hook: object) -> None:
            raise SkipMessage("too old")

    rig.broker.add_middleware(Drop(), before=Validation)
    actor = rig.actor(lambda _payload: None)
    rig.worker.start()
    actor.send(payload())
    assert ended(rig, "job-1").state == "cancelled"


def test_a_result_that_does_not_count_is_discarded(rig: Rig) -> None:
    discarded = threading.Event()

    def work(_payload: Any) -> None:
        job = claimed(CurrentMessage.get_current_message())
        rig.ledger.cancel(job.job_id)
        job.verdict = Verdict("completed", fields={"artifacts": [1]}, discard=discarded.set)

    actor = rig.actor(work)
    rig.worker.start()
    actor.send(payload())
    record = ended(rig, "job-1")
    assert (record.state, record.artifacts) == ("cancelled", ())
    assert discarded.wait(10)


def test_a_verdict_reached_before_an_exception_stands(rig: Rig) -> None:
    def work(_payload: Any) -> None:
        claimed(CurrentMessage.get_current_message()).verdict = Verdict("cancelled")
        raise RenderFailed("while stopping")

    actor = rig.actor(work)
    rig.worker.start()
    actor.send(payload())
    assert ended(rig, "job-1").state == "cancelled"


def test_a_worker_that_stops_takes_nothing_more_and_leaves_the_living(rig: Rig) -> None:
    actor = rig.actor(lambda _payload: None)
    rig.worker.start()
    wait_until(lambda: rig.ledger.stats().workers, "the consumer shows itself")
    rig.worker.stop()
    actor.send(payload())
    assert rig.ledger.stats().waiting == 1
    assert rig.ledger.stats().workers == ()


def test_a_message_claimed_but_not_begun_goes_back_at_the_stop(rig: Rig) -> None:
    actor = rig.actor(lambda _payload: None)
    actor.send(payload())
    consumer = rig.broker.consume(rig.ledger.queue)
    message = next(consumer)
    assert message is not None
    assert rig.ledger.stats().active == 1
    consumer.requeue([message])
    assert rig.ledger.stats().waiting == 1
    assert rig.slots.busy(rig.ledger.queue) == 0


def test_accepted_jobs_cannot_be_flushed(rig: Rig) -> None:
    with pytest.raises(PermissionError, match="never dropped"):
        rig.broker.flush_all()


def test_a_lost_connection_is_survived(rig: Rig, client: redis.Redis) -> None:
    actor = rig.actor(lambda _payload: None)
    rig.worker.start()
    wait_until(lambda: rig.ledger.stats().workers, "the consumer shows itself")
    client.client_kill_filter(_type="normal", skipme=True)

    def sent() -> bool:
        try:
            actor.send(payload())
        except BrokerUnavailable:  # a killed connection of the pool is found out once
            return False
        return True

    wait_until(sent, "the server can be reached again")
    assert ended(rig, "job-1").state == "completed"
