"""Workers that are told to end, at bad moments, more than once, while Redis is away."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.client import PreviewClient
from app.settings import Settings
from tests.conftest import wait_until
from tests.faults.conftest import RENDER
from tests.support.payloads import long_payload, payload
from tests.support.probes import Probes
from tests.support.processes import children_of, send_all, stop, worker
from tests.support.proxy import Proxy
from tests.support.redis_servers import RedisServer

#: Longest end after the grace period: two calls to a Redis that hangs, what Dramatiq takes
#: (12 s), and a slow machine.
AFTER_GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue on a server of its own; ``through`` are settings that reach it by the proxy."""

    server: RedisServer
    proxy: Proxy
    through: Settings
    preview: PreviewClient
    log: Path

    def rendering(self, job_id: str) -> None:
        wait_until(lambda: self.preview.status(job_id).progress.frames_done > 0, "it renders")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with RedisServer(tmp_path / "redis") as server, Proxy(server.port) as proxy:
        own = Settings(
            redis_url=server.url,
            app_env="test",
            data_dir=tmp_path,
            preview_queue_name="q",
            health_host="127.0.0.1",
            health_port=0,
        )
        log = tmp_path / "worker.log"
        through = own.model_copy(update={"redis_url": proxy.url})
        yield Queue(server, proxy, through, PreviewClient.from_settings(own), log)
        print(log.read_text())


def test_signals_to_every_process_again_and_again_end_no_render(queue: Queue) -> None:
    """As process groups, service managers and impatient people send them."""
    with worker(queue.through, queue.log) as process:
        queue.preview.submit(payload("job-1", **RENDER))
        queue.rendering("job-1")
        for _ in range(4):
            send_all((process.pid, *children_of(process.pid)), signal.SIGTERM)
            time.sleep(0.3)  # a pace, not a wait
        assert stop(process) == 0
    record = queue.preview.status("job-1")
    assert (record.state, record.attempts) == ("completed", 1)


def test_a_service_whose_master_dies_ends_as_if_it_was_told_to(queue: Queue) -> None:
    with worker(queue.through, queue.log) as process:
        Probes(queue.log)
        queue.preview.submit(payload("job-1", **RENDER))
        queue.rendering("job-1")
        family = children_of(process.pid)
        process.kill()
        wait_until(lambda: not any(map(alive, family)), "all end", seconds=60)
    record = queue.preview.status("job-1")
    assert (record.state, record.attempts) == ("completed", 1)


def test_a_claim_that_is_answered_during_the_shutdown_goes_back_at_once(queue: Queue) -> None:
    with worker(queue.through, queue.log) as process:
        probes = Probes(queue.log)
        queue.preview.submit(long_payload("running"))
        queue.rendering("running")
        queue.proxy.delay_seconds = 2.0
        queue.preview.submit(payload("job-1"))
        wait_until(lambda: queue.preview.status("job-1").state == "active", "it is claimed")
        queue.proxy.delay_seconds = 4.5  # just not a timeout
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: "worker.draining" in queue.log.read_text(), "the shutdown begins")
        queue.proxy.heal()
        wait_until(lambda: queue.preview.status("job-1").state == "queued", "it is given back")
        assert queue.preview.status("running").state == "active"
        assert (probes.status("/livez"), probes.status("/metrics")) == (200, 200), "till its end"
        queue.preview.cancel("running")
        assert stop(process) == 0
        with pytest.raises(httpx.ConnectError):
            probes.status("/livez")
    assert queue.preview.status("running").state == "cancelled"
    record = queue.preview.status("job-1")
    assert (record.state, record.attempts, record.started_at) == ("queued", 0, None)


@pytest.mark.parametrize("hangs", [False, True], ids=["gone", "hangs"])
def test_a_worker_ends_in_time_while_redis_is_away(queue: Queue, *, hangs: bool) -> None:
    limits = {"PREVIEW_SHUTDOWN_GRACE_SECONDS": "1", "PREVIEW_LEASE_SECONDS": "2"}
    with worker(queue.through, queue.log, more=limits) as process:
        queue.preview.submit(long_payload("job-1"))
        queue.rendering("job-1")
        family = children_of(process.pid)
        if hangs:
            queue.server.pause()
        else:
            queue.proxy.target = 1
            queue.proxy.cut_off()
            wait_until(lambda: "redis.away" in queue.log.read_text(), "the worker knows")
        began = time.monotonic()
        assert stop(process) == 0
        assert time.monotonic() - began < 1 + AFTER_GRACE_SECONDS
        wait_until(lambda: not any(map(alive, family)), "no child is left")
    queue.server.resume()
    if hangs:  # what was sent meanwhile may be read now, or the lease has to end
        assert queue.preview.status("job-1").attempts == 0
        return
    ledger = queue.preview.ledger
    wait_until(lambda: ("job-1", "queued", "stable") in ledger.recover(), "its lease ends")
    record = queue.preview.status("job-1")
    assert (record.state, record.attempts) == ("queued", 0)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
