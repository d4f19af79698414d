"""A server that is gone for a while, or hangs, or a network that loses what it says."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.errors import BrokerUnavailable
from tests.conftest import wait_until
from tests.faults.conftest import Faulty
from tests.support.payloads import payload
from tests.support.processes import renders_below
from tests.support.redis_servers import RedisServer

#: Longer than every timeout of a socket. ``OUTAGE_SECONDS=60 make test ARGS=tests/faults``
#: tries a longer one.
OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "8"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_loses_and_doubles_nothing(faulty: Faulty, number: signal.Signals) -> None:
    running = [faulty.rendering("running") for _ in range(2)]
    for _ in range(5):
        faulty.submit("waiting")
    os.kill(faulty.server.pid, number)
    wait_until(lambda: not faulty.server.running, "the server is gone")
    faulty.troubled("cannot be reached")
    faulty.refused("cannot be reached")
    wait_until(lambda: not renders_below(faulty.pid), "both renders end meanwhile")
    faulty.server.start()
    for job_id in running:
        assert faulty.completed(job_id).attempts == 1
    faulty.recovered()


def test_a_server_that_hangs_for_longer_than_every_timeout(faulty: Faulty) -> None:
    faulty.rendering("running")
    faulty.server.pause()
    paused = time.monotonic()
    try:
        faulty.troubled("cannot be reached")
        faulty.refused("cannot be reached")
        wait_until(lambda: time.monotonic() > paused + OUTAGE_SECONDS, "it was long", seconds=600)
        assert not faulty.probes.ready()
    finally:
        faulty.server.resume()
    faulty.recovered()


def test_a_slow_network_is_no_trouble(faulty: Faulty) -> None:
    faulty.proxy.delay_seconds = 0.2
    faulty.completed(faulty.submit("slow"))
    assert faulty.probes.ready()
    faulty.proxy.heal()
    faulty.recovered()


def test_replies_that_are_lost(faulty: Faulty) -> None:
    faulty.rendering("running")
    assert faulty.client.queue().active == 1, "the client is connected"
    faulty.proxy.fault = "lose"
    faulty.troubled("cannot be reached")
    with pytest.raises(BrokerUnavailable, match="timed out"):
        faulty.client.submit(payload("lost", dryRun=True))
    assert faulty.preview.status("lost").state == "queued", "it had been admitted"
    faulty.submitted.append("lost")
    faulty.proxy.heal()
    faulty.recovered()
    again = faulty.client.submit(payload("lost", dryRun=True))
    assert again.replayed


def test_replies_that_are_cut(faulty: Faulty) -> None:
    faulty.rendering("running")
    faulty.proxy.fault = "cut"
    faulty.troubled("cannot be reached")
    faulty.proxy.heal()
    faulty.recovered()


def test_a_failover_behind_one_address(faulty: Faulty, tmp_path: Path) -> None:
    """Connections to the old server stay open: it is alive, and a replica."""
    faulty.rendering("running")
    options = ["--replicaof", "127.0.0.1", str(faulty.server.port)]
    with RedisServer(tmp_path, *options) as other, other.client() as admin:
        wait_until(lambda: admin.info()["master_link_status"] == "up", "it is in step")
        own = faulty.preview
        admin.replicaof("NO", "ONE")
        faulty.admin.replicaof("127.0.0.1", other.port)
        faulty.proxy.target = other.port
        faulty.preview = PreviewClient.from_settings(
            faulty.through.model_copy(update={"redis_url": other.url})
        )
        try:
            faulty.recovered()
            wait_until(lambda: faulty.admin.info()["master_link_status"] == "up", "it is in step")
        finally:  # and back
            faulty.admin.replicaof("NO", "ONE")
            admin.replicaof("127.0.0.1", faulty.server.port)
            faulty.proxy.target = faulty.server.port
            faulty.preview = own
        faulty.recovered()
