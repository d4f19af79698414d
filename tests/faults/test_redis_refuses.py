"""A server that answers, but not as one would like: the worker says so and comes back."""

from __future__ import annotations

import contextlib
import threading
import time

import redis

from app.errors import BrokerUnavailable
from tests.conftest import wait_until
from tests.faults.conftest import Faulty


def test_a_server_that_has_become_a_replica(faulty: Faulty) -> None:
    faulty.rendering("before")
    faulty.admin.replicaof("127.0.0.1", faulty.server.port)  # of itself: it gets no data
    faulty.troubled("READONLY")
    faulty.refused("READONLY")
    faulty.admin.replicaof("NO", "ONE")
    faulty.recovered()


def test_a_full_memory(faulty: Faulty) -> None:
    running = faulty.rendering("before")
    faulty.admin.config_set("maxmemory", "1")
    faulty.troubled("OOM")
    faulty.refused("OOM")
    assert faulty.completed(running).attempts == 1, "what is done can be told: it frees memory"
    assert not faulty.probes.ready()
    faulty.admin.config_set("maxmemory", "0")
    faulty.recovered()


def test_a_server_that_loads_its_data(faulty: Faulty) -> None:
    for number in range(2000):
        faulty.admin.set(f"padding:{number}", "x" * 100)
    faulty.admin.bgrewriteaof()  # to a file that is read in small steps, unlike the log of commands
    wait_until(lambda: not faulty.admin.info()["aof_rewrite_in_progress"], "it is rewritten")
    slowly = ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"]
    faulty.server.stop()
    faulty.server.options += slowly
    try:
        faulty.server.start(wait=False)
        faulty.troubled("loading")
        faulty.refused("loading")
    finally:
        del faulty.server.options[-len(slowly) :]
    faulty.recovered()
    faulty.admin.config_set("key-load-delay", "0")


def test_a_server_that_runs_an_endless_script(faulty: Faulty) -> None:
    faulty.admin.config_set("lua-time-limit", "100")

    def endless() -> None:
        with (
            faulty.server.client(socket_timeout=60) as client,
            contextlib.suppress(redis.RedisError),
        ):
            client.eval("while true do end", 0)

    thread = threading.Thread(target=endless)
    thread.start()
    faulty.troubled("BUSY")
    faulty.refused("BUSY")
    faulty.admin.script_kill()
    thread.join()
    faulty.recovered()


def test_scripts_that_the_server_forgets(faulty: Faulty) -> None:
    running = faulty.rendering("before")
    for _ in range(3):
        faulty.admin.script_flush()
        faulty.completed(faulty.submit("next"))
    assert faulty.preview.status(running).state in ("active", "completed")
    faulty.recovered()


def test_connections_that_are_killed_again_and_again(faulty: Faulty) -> None:
    faulty.rendering("before")
    accepted = 0
    until = time.monotonic() + 2
    while time.monotonic() < until:
        faulty.admin.client_kill_filter(_type="normal", skipme=True)
        if accepted < 100:  # a fast machine would fill the queue
            with contextlib.suppress(BrokerUnavailable):
                faulty.submit("meanwhile")
                accepted += 1
    assert accepted > 10
    faulty.recovered()
