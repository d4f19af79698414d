"""Connections to one server: what is said of each failure, and which connections are dropped."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from app.errors import BrokerUnavailable
from app.ledger import Ledger, connect, redis_errors
from app.settings import Settings
from tests.conftest import wait_until
from tests.ledger.jobs import admission, state
from tests.support.redis_servers import RedisServer

USERS = "user default on >secret1 ~* &* +@all\nuser narrow on >secret2 ~a:* +@all -get\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server with two users, from an ACL file."""
    directory = tmp_path_factory.mktemp("acl")
    (directory / "users.acl").write_text(USERS)
    with RedisServer(directory, "--aclfile", "users.acl") as running:
        yield running


def url(server: RedisServer, credentials: str, database: int = 0) -> str:
    return f"redis://{credentials}@127.0.0.1:{server.port}/{database}"


@contextlib.contextmanager
def connected(redis_url: str, **options: Any) -> Iterator[redis.Redis]:
    client = connect(Settings(redis_url=redis_url), **options)
    try:
        yield client
    finally:
        client.close()


def failure(client: redis.Redis, *words: str) -> str:
    """Send a command that must fail; return the detail, without a secret anywhere behind it."""
    with pytest.raises(BrokerUnavailable) as caught, redis_errors():
        client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py's
    told = "".join(traceback.format_exception(caught.value))
    assert "secret" not in told
    assert caught.value.retry_after_seconds
    return caught.value.detail


def test_credentials_and_database_of_the_url_are_used(server: RedisServer) -> None:
    with connected(url(server, "narrow:secret2", 3)) as client:
        assert client.set("a:key", "value")
        assert client.acl_whoami() == "narrow"
        assert client.client_info()["db"] == 3
    with connected(url(server, ":secret1", 3)) as client:
        assert client.get("a:key") == b"value"


@pytest.mark.parametrize(
    ("credentials", "words", "detail"),
    [
        ("narrow:secret", ["PING"], "Redis refuses the credentials of REDIS_URL."),
        (":", ["PING"], "Redis requires credentials, but REDIS_URL has none."),
        ("narrow:secret2", ["GET", "a:1"], "The user of REDIS_URL may not run GET (NOPERM)."),
        ("narrow:secret2", ["SET", "b:1", "2"], "The user of REDIS_URL may not do that (NOPERM)."),
        ("narrow:secret2", ["INCR", "a:text"], "Redis refused a command (ERR)."),
        ("narrow:secret2", ["LPUSH", "a:text", "1"], "Redis refused a command (WRONGTYPE)."),
    ],
)
def test_a_refusal_is_told_without_the_keys_and_secrets_in_it(
    server: RedisServer, credentials: str, words: list[str], detail: str
) -> None:
    with connected(url(server, ":secret1")) as admin:
        admin.set("a:text", "no number")
    with connected(url(server, credentials)) as client:
        assert failure(client, *words) == detail


def test_full_memory_is_told_and_over_when_there_is_room(server: RedisServer) -> None:
    with connected(url(server, ":secret1")) as client:
        client.config_set("maxmemory", "1")
        assert failure(client, "SET", "a", "b") == (
            "Redis refused a command (OOM): its memory is full."
        )
        client.config_set("maxmemory", "0")
        assert client.set("a", "b")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://127.0.0.1:1", "connection refused"),
        ("unix:///nowhere/redis.sock", "the socket does not exist"),
        ("redis://redis.invalid:6379", "host name not found"),
    ],
)
def test_a_server_that_is_away_is_told_by_what_is_missing(url: str, why: str) -> None:
    with connected(url) as client:
        assert failure(client, "PING") == f"Redis cannot be reached: {why}."


def test_a_silent_server_is_told_apart(server: RedisServer) -> None:
    with connected(url(server, ":secret1"), timeout_seconds=0.3) as client:
        assert client.ping()
        server.pause()
        try:
            assert failure(client, "PING") == "Redis cannot be reached: timed out."
        finally:
            server.resume()
        assert client.ping()


def test_the_handshake_sends_nothing_that_is_refused(server: RedisServer) -> None:
    with connected(url(server, ":secret1")) as admin:
        admin.acl_setuser(
            "bare", enabled=True, reset=True, passwords="+secret3", commands=["+ping"]
        )
        admin.config_resetstat()
        with connected(url(server, "bare:secret3")) as client:
            assert client.ping()
        assert admin.info("errorstats") == {}


def test_a_connection_to_a_server_that_was_demoted_is_dropped(tmp_path: Path) -> None:
    with (
        RedisServer(tmp_path / "a") as server,
        contextlib.closing(server.client()) as admin,
        connected(server.url) as client,
    ):
        ledger = Ledger(client, queue="q", lease_seconds=30, max_starts=3)
        ledger.admit(admission("one"), limit=None)
        ours = client.client_id()

        def connections() -> set[int]:
            return {int(item["id"]) for item in admin.client_list()}

        admin.replicaof("127.0.0.1", "1")
        assert ours in connections()
        with pytest.raises(BrokerUnavailable, match=r"READONLY\): the server is a replica now"):
            ledger.admit(admission("two"), limit=None)
        wait_until(lambda: ours not in connections(), "the connection is closed")
        admin.replicaof("NO", "ONE")
        assert ledger.admit(admission("two"), limit=None) == "admitted"
        assert state(ledger, "one") == "queued"


def test_a_demoted_server_is_also_left_by_a_pipeline(tmp_path: Path) -> None:
    with (
        RedisServer(tmp_path / "a") as server,
        contextlib.closing(server.client()) as admin,
        connected(server.url) as client,
    ):
        ledger = Ledger(client, queue="q", lease_seconds=30, max_starts=3)
        ledger.forget_worker("w")
        ours = client.client_id()
        admin.replicaof("127.0.0.1", "1")
        with pytest.raises(BrokerUnavailable, match="READONLY"):
            ledger.forget_worker("w")
        wait_until(
            lambda: ours not in {int(item["id"]) for item in admin.client_list()}, "it is closed"
        )
