"""A consumer of a worker that ends: what it claimed and nobody began goes back at once."""

from __future__ import annotations

from typing import Any

import pytest
from dramatiq.middleware import SkipMessage

from app.broker import claimed, consumer
from app.errors import BrokerUnavailable
from tests.broker.conftest import Rig
from tests.support.payloads import payload


def waiting(rig: Rig) -> None:
    """Queue a job that nobody must begin."""
    rig.actor(lambda _payload: None).send(payload())


def test_a_job_whose_claim_is_answered_after_the_beginning_of_a_shutdown(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(rig)
    claim = rig.ledger.claim

    def claim_and_drain(*args: Any, **kwargs: Any) -> Any:
        answer = claim(*args, **kwargs)
        rig.slots.drain()
        return answer

    monkeypatch.setattr(rig.ledger, "claim", claim_and_drain)
    assert next(rig.broker.consume(rig.ledger.queue)) is None
    stats = rig.ledger.stats()
    assert (stats.waiting, stats.active) == (1, 0)
    assert rig.slots.busy(rig.ledger.queue) == 0


def test_a_job_whose_claim_was_never_answered(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(rig)
    claim = rig.ledger.claim

    def claim_and_lose(*args: Any, **kwargs: Any) -> Any:
        claim(*args, **kwargs)
        raise BrokerUnavailable("the reply is lost")

    worker = rig.broker.consume(rig.ledger.queue)
    with monkeypatch.context() as losing:
        losing.setattr(rig.ledger, "claim", claim_and_lose)
        assert next(worker) is None
    assert rig.ledger.stats().active == 1
    rig.slots.drain()
    assert next(worker) is None
    stats = rig.ledger.stats()
    assert (stats.waiting, stats.active) == (1, 0)
    assert next(worker) is None, "from now on it only shows that it lives"
    assert rig.ledger.stats().waiting == 1
    assert rig.ledger.stats().workers


def test_a_message_that_no_thread_had_begun(rig: Rig) -> None:
    waiting(rig)
    message = claimed(next(rig.broker.consume(rig.ledger.queue)))
    rig.shutdown.before_worker_shutdown(rig.broker, rig.worker)
    with pytest.raises(SkipMessage):
        rig.broker.emit_before("process_message", message)
    rig.broker.emit_after("skip_message", message)
    assert (message.outcome, message.begun) == ("released", False)
    assert rig.ledger.stats().waiting == 1
    assert rig.counted("started") == 0


def test_a_redis_that_is_away_does_not_hold_up_the_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def away(*_args: Any, **_kwargs: Any) -> Any:
        calls.append("call")
        raise BrokerUnavailable("away")

    rig.actor(lambda _payload: None)
    monkeypatch.setattr(consumer, "DRAIN_ASK_SECONDS", 0.0)
    for name in ("claim", "recover", "forget_worker"):
        monkeypatch.setattr(rig.ledger, name, away)
    worker = rig.broker.consume(rig.ledger.queue)
    assert next(worker) is None
    assert len(calls) == 1
    rig.slots.drain()
    assert next(worker) is None
    worker.close()
    assert len(calls) == 1, "it left Redis alone"
