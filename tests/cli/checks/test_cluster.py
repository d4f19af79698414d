"""Servers in cluster mode: one node holds a queue, several are refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from app.cli.checks.findings import Finding
from app.cli.checks.queue import queue
from app.cli.remote.addresses import free_ports
from app.cli.stack.valkey import server_binary
from app.client import PreviewClient
from app.errors import BrokerUnavailable
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.payloads import payload
from tests.support.redis_servers import RedisServer

LAST_SLOT = 16383


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[RedisServer]]:
    """Two servers in cluster mode, without slots."""
    with ExitStack() as opened:
        yield [
            opened.enter_context(
                RedisServer(
                    tmp_path / str(number),
                    *("--cluster-enabled", "yes", "--cluster-port", str(free_ports(1)[0])),
                    binary=server_binary(),
                )
            )
            for number in range(2)
        ]


def hold(node: redis.Redis, first: int, last: int) -> None:
    node.execute_command("CLUSTER ADDSLOTSRANGE", first, last)  # type: ignore[no-untyped-call]


def told(settings: Settings, node: RedisServer) -> Finding:
    own = settings.model_copy(update={"redis_url": node.url})
    return next(one for one in queue(own) if one.name == "cluster")


def works(settings: Settings, node: RedisServer) -> bool:
    own = settings.model_copy(update={"redis_url": node.url})
    try:
        return PreviewClient.from_settings(own).submit(payload()).job_id == "job-1"
    except BrokerUnavailable:
        return False


def refusal(settings: Settings, node: RedisServer) -> str:
    own = settings.model_copy(update={"redis_url": node.url})
    with pytest.raises(BrokerUnavailable) as refused:
        PreviewClient.from_settings(own).status("job-1")
    return str(refused.value)


def test_one_node_that_holds_all_slots_works(settings: Settings, nodes: list[RedisServer]) -> None:
    assert told(settings, nodes[0]).detail == "cluster mode without slots"
    with nodes[0].client() as node:
        hold(node, 0, LAST_SLOT)
        wait_until(lambda: works(settings, nodes[0]), "the cluster is complete")
    assert (told(settings, nodes[0]).level, told(settings, nodes[1]).level) == ("ok", "fail")


def test_several_nodes_are_refused_by_name(settings: Settings, nodes: list[RedisServer]) -> None:
    first, second = nodes
    with first.client() as one, second.client() as other:
        hold(one, 0, 8000)
        hold(other, 8001, LAST_SLOT)
        bus = int(second.options[second.options.index("--cluster-port") + 1])
        one.execute_command("CLUSTER MEET", "127.0.0.1", second.port, bus)
        wait_until(lambda: told(settings, first).detail.endswith("2 nodes is not supported"), "met")
        assert told(settings, first).level == "fail"
        slot = int(one.execute_command("CLUSTER KEYSLOT", f"{{{settings.preview_queue_name}}}"))
        holder, elsewhere = (first, second) if slot <= 8000 else (second, first)
        wait_until(lambda: works(settings, holder), "the slot's holder is up")
        refused = "a cluster of several nodes is not supported"
        wait_until(lambda: refused in refusal(settings, elsewhere), "the other node is up")
