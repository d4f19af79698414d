"""What cannot be run, must not run, or is interrupted, under Dramatiq's own worker."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
import redis
from dramatiq import Middleware
from dramatiq.middleware import CurrentMessage, SkipMessage

from app.broker import ClaimedMessage, Verdict, claimed
from app.contract import Contract
from app.errors import AssetFailed, BrokerUnavailable, RenderFailed
from app.ledger import Admission, Ledger, connect
from app.logs import configure_logging
from app.middleware import DryRun, Validation
from app.settings import Settings
from tests.broker.conftest import Rig
from tests.broker.waiting import ended, idle
from tests.conftest import wait_until
from tests.support.payloads import payload

pytestmark = pytest.mark.real_redis


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
    assert rig.counted("failed") == 1


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


def test_a_validation_that_breaks_never_lets_the_actor_run(rig: Rig) -> None:
    called = threading.Event()
    validation = next(item for item in rig.broker.middleware if isinstance(item, Validation))
    validation._contract = Contract.__new__(Contract)  # no schema has been compiled in it
    actor = rig.actor(lambda _payload: called.set())
    rig.worker.start()
    actor.send(payload())
    record = ended(rig, "job-1")
    assert record.error is not None
    assert (record.state, record.error["code"]) == ("failed", "internal-error")
    idle(rig)
    assert not called.is_set()


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ZeroDivisionError("in the plan"), "render-failed"),
        (AssetFailed("The asset 'a' cannot be used."), "asset-failed"),
    ],
)
def test_a_plan_that_cannot_be_made_fails_the_dry_run_and_the_actor_is_never_called(
    rig: Rig, error: Exception, code: str
) -> None:
    log = io.StringIO()
    configure_logging(level="info", style="json", stream=log)

    def fail(_job: ClaimedMessage) -> None:
        raise error

    called = threading.Event()
    next(item for item in rig.broker.middleware if isinstance(item, DryRun))._planner = fail
    actor = rig.actor(lambda _payload: called.set())
    rig.worker.start()
    actor.send(payload("dry", dryRun=True))
    record = ended(rig, "dry")
    assert record.error is not None
    assert (record.state, record.error["code"]) == ("failed", code)
    idle(rig)
    assert not called.is_set()
    assert rig.counted("dryrun") == 0
    assert ("ZeroDivisionError: in the plan" in log.getvalue()) == (code == "render-failed")


def claimed_long_ago(rig: Rig, *, url: str) -> ClaimedMessage:
    """Claim the next message and hold it for longer than a claim is fresh; ask at ``url``."""
    message = claimed(next(rig.broker.consume(rig.ledger.queue)))
    message.ledger = Ledger(
        connect(Settings(redis_url=url)), queue=rig.ledger.queue, lease_seconds=0, max_starts=3
    )
    return message


def skipped(rig: Rig, message: ClaimedMessage) -> None:
    with pytest.raises(SkipMessage):
        rig.broker.emit_before("process_message", message)
    message.ledger = rig.ledger
    rig.broker.emit_after("skip_message", message)


def test_an_old_claim_that_nobody_confirms_gives_the_job_back(rig: Rig) -> None:
    rig.actor(lambda _payload: None).send(payload())
    message = claimed_long_ago(rig, url="redis://127.0.0.1:1")
    skipped(rig, message)
    assert message.verdict == Verdict("released")
    assert message.outcome == "released"
    assert rig.ledger.stats().waiting == 1


def test_an_old_claim_that_another_worker_has_is_left_to_it(rig: Rig, settings: Settings) -> None:
    rig.actor(lambda _payload: None).send(payload())
    message = claimed_long_ago(rig, url=settings.redis_url)
    rig.ledger.settle(message.job_id, message.fence, "released")
    other = rig.ledger.claim("other", token="t", free=True, info={})[0]
    skipped(rig, message)
    assert message.outcome == "stale"
    record = rig.ledger.get(message.job_id)
    assert other is not None
    assert record is not None
    assert (record.state, record.fence) == ("active", other.fence)
    assert rig.counted("duplicate") == 1


def test_an_old_claim_of_a_job_that_was_cancelled_since_never_runs(
    rig: Rig, settings: Settings
) -> None:
    rig.actor(lambda _payload: None).send(payload())
    message = claimed_long_ago(rig, url=settings.redis_url)
    assert rig.ledger.cancel(message.job_id) == "requested"
    skipped(rig, message)
    assert message.outcome == "cancelled"
    assert rig.counted("cancelled") == 1


def test_an_old_claim_that_still_holds_is_run(rig: Rig, settings: Settings) -> None:
    rig.actor(lambda _payload: None).send(payload())
    message = claimed_long_ago(rig, url=settings.redis_url)
    rig.broker.emit_before("process_message", message)
    assert message.begun
    rig.broker.emit_after("process_message", message)
    assert message.outcome == "completed"
