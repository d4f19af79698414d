"""The product behind a connection that loses replies of what the server has done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from dramatiq import Middleware
from dramatiq.broker import MessageProxy

from app.broker import claimed
from app.client import PreviewClient, Submission
from app.contract import load_contract
from app.errors import BrokerUnavailable
from app.middleware import Validation
from app.settings import Settings
from tests.broker.conftest import Rig
from tests.broker.waiting import ended, idle
from tests.conftest import wait_until
from tests.support.lossy_proxy import LossyProxy
from tests.support.payloads import payload


@pytest.fixture
def proxy(embedded_url: str) -> Iterator[LossyProxy]:
    with LossyProxy(embedded_url) as between:
        yield between


@pytest.fixture
def settings(settings: Settings, proxy: LossyProxy) -> Settings:
    """Everything of the rig goes through the proxy."""
    return settings.model_copy(update={"redis_url": proxy.url})


@pytest.mark.parametrize("script", ["claim", "settle"])
def test_a_worker_that_is_left_without_a_reply_runs_the_job_once(
    rig: Rig, proxy: LossyProxy, script: str
) -> None:
    ran: list[Any] = []
    rig.actor(ran.append).send(payload())
    proxy.lose(script)
    rig.worker.start()
    record = ended(rig, "job-1")
    idle(rig)
    assert proxy.losses == 1
    assert (record.state, record.attempts) == ("completed", 1)
    assert ran == [payload()]
    assert rig.counted("completed") == rig.counted("started") == 1


def test_a_retry_whose_reply_is_lost_is_counted_as_one(rig: Rig, proxy: LossyProxy) -> None:
    failures = iter([ValueError("not yet")])

    def flaky(_payload: Any) -> None:
        for failure in failures:
            raise failure
        # The next attempt runs already when the first asks again what became of it.
        wait_until(lambda: rig.counted("retried"), "the first attempt is told")

    rig.actor(flaky).send(payload())
    proxy.lose("settle")
    rig.worker.start()
    record = ended(rig, "job-1")
    idle(rig)
    assert proxy.losses == 1
    assert (record.state, record.attempts) == ("completed", 2)
    assert rig.counted("retried") == rig.counted("completed") == 1
    assert rig.counted("duplicate") == 0


def test_a_job_that_was_cancelled_late_is_counted_once_though_the_reply_is_lost(
    rig: Rig, proxy: LossyProxy
) -> None:
    class CancelLate(Middleware):
        def before_process_message(self, _broker: object, message: MessageProxy) -> None:
            assert rig.ledger.cancel(claimed(message).job_id) == "requested"

    rig.broker.add_middleware(CancelLate(), before=Validation)
    rig.actor(lambda _payload: None).send(payload())
    proxy.lose("settle")
    rig.worker.start()
    assert ended(rig, "job-1").state == "cancelled"
    idle(rig)
    assert proxy.losses == 1
    assert (rig.counted("cancelled"), rig.counted("duplicate")) == (1, 0)


def test_a_dead_workers_job_is_run_though_the_reply_to_its_recovery_is_lost(
    rig: Rig, proxy: LossyProxy, client: redis.Redis
) -> None:
    rig.actor(lambda _payload: None).send(payload())
    info = {"slots": 1, "busy": 0, "track": "stable"}
    assert rig.ledger.claim("dead", token="t", free=True, info=info)[0] is not None
    client.zadd(rig.ledger.keys["active"], {"job-1": 1})
    proxy.lose("recover")
    rig.worker.start()
    assert ended(rig, "job-1").state == "completed"
    assert proxy.losses == 1


def test_an_author_who_posts_again_gets_the_job_that_was_accepted(
    rig: Rig, proxy: LossyProxy
) -> None:
    author = PreviewClient(
        rig.ledger, contract=load_contract(), metrics=rig.metrics, queue_max=1, max_attempts=3
    )
    proxy.lose("admit")
    with pytest.raises(BrokerUnavailable):
        author.submit(payload())
    assert author.submit(payload()) == Submission("job-1", replayed=True)
    assert author.queue().depth == 1
