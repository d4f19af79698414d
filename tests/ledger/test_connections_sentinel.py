"""Sentinels: the primary is found, found again after a failover, and its absence explained."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.cli.checks import queue
from app.errors import BrokerUnavailable
from app.ledger import Ledger, connect, redis_errors
from app.ledger.sentinels import ASK_SECONDS, PrimaryPool, Sentinels
from app.settings import Settings
from tests.conftest import wait_until
from tests.ledger.jobs import admission, claim, claim_next, state
from tests.support.redis_servers import RedisServer
from tests.support.sentinels import SERVICE, SentinelGroup, SentinelServer, sentinel_group

#: Nothing listens there.
NOBODY = "127.0.0.1:1"


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    """A primary, a replica and three Sentinels."""
    with sentinel_group(tmp_path_factory.mktemp("group")) as running:
        running.wait_until_whole()
        yield running


def settings(url: str, **more: str) -> Settings:
    return Settings(redis_url=url).model_copy(update=more)


@contextlib.contextmanager
def ledger_of(url: str, **more: str) -> Iterator[Ledger]:
    with contextlib.closing(connect(settings(url, **more))) as client:
        client.flushdb()
        yield Ledger(client, queue="q", lease_seconds=30, max_starts=3)


def answers(call: Callable[[], object]) -> Callable[[], bool]:
    def tried() -> bool:
        try:
            return call() is not False
        except BrokerUnavailable:
            return False

    return tried


@contextlib.contextmanager
def consumer_of(ledger: Ledger) -> Iterator[list[str]]:
    """Take jobs as a worker does; yields the list that they are put on."""
    consumed: list[str] = []
    ended = threading.Event()

    def consume() -> None:
        while not ended.is_set():
            try:
                ledger.wait_for_work(1.0)
                job = claim(ledger)
            except BrokerUnavailable:
                ended.wait(0.05)
            else:
                consumed.extend([job.job_id] if job else [])

    thread = threading.Thread(target=consume)
    thread.start()
    try:
        yield consumed
    finally:
        ended.set()
        thread.join()


def failure(url: str, **more: str) -> str:
    client = connect(settings(url, **more), timeout_seconds=1)
    with (
        contextlib.closing(client),
        pytest.raises(BrokerUnavailable) as caught,
        redis_errors(),
    ):
        client.ping()
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    return caught.value.detail


def admit(ledger: Ledger, job_id: str) -> None:
    assert ledger.admit(admission(job_id), limit=None) == "admitted"


def test_jobs_run_on_the_primary_in_the_database_of_the_url(group: SentinelGroup) -> None:
    with ledger_of(f"{group.url}/2") as ledger:
        admit(ledger, "one")
        job = claim_next(ledger)
        assert ledger.settle(job.job_id, job.fence, "completed") == "completed"
        with contextlib.closing(group.primary.client(db=2)) as client:
            assert client.exists(ledger.keys.job("one"))


def test_the_doctor_examines_the_primary(group: SentinelGroup) -> None:
    url = group.url.replace("redis+sentinel://", "redis+sentinel://user:pass@")
    (away,) = queue.queue(settings(url.replace("127.0.0.1", "127.0.0.2")))
    assert away.detail.endswith(f"/{SERVICE}: No Sentinel of REDIS_URL can be reached.")
    found = {finding.name: finding for finding in queue.queue(settings(group.url))}
    assert found["redis"].level == "ok"
    assert found["redis"].detail.endswith(f"127.0.0.1:{group.sentinels[2].port}/{SERVICE}")
    assert found["workers"].detail.startswith("none alive; queue preview-jobs: 0 waiting")


def test_a_dead_sentinel_is_passed_over(group: SentinelGroup) -> None:
    url = group.url.replace("redis+sentinel://", f"redis+sentinel://{NOBODY},")
    with ledger_of(url) as ledger:
        admit(ledger, "one")
        ledger._client.connection_pool.disconnect()
        admit(ledger, "two")


def test_sentinels_are_not_forgotten_when_threads_reconnect_at_once(group: SentinelGroup) -> None:
    """In redis-py's own list each thread swaps by a place that another has moved."""
    alive = group.sentinels[0]
    hosts = [("127.0.0.1", 1), ("127.0.0.1", alive.port), ("127.0.0.1", 2)]
    sentinels = Sentinels(hosts, sentinel_kwargs={"retry": Retry(NoBackoff(), 0)})  # type: ignore[no-untyped-call]  # redis-py's

    def known() -> set[int]:
        return {one.connection_pool.connection_kwargs["port"] for one in sentinels.sentinels}

    alive.pause()
    threads = [
        threading.Thread(target=sentinels.discover_master, args=(SERVICE,)) for _ in range(4)
    ]
    try:
        for thread in threads:
            thread.start()
        waiting = sentinels.sentinels[1].connection_pool
        wait_until(lambda: len(waiting._in_use_connections) == 4, "all threads wait for it")
    finally:
        alive.resume()
        for thread in threads:
            thread.join()
    assert known() == {1, 2, alive.port}
    assert len(sentinels.sentinels) == 3
    sentinels.close()


def test_what_the_sentinels_do_not_know_is_told(group: SentinelGroup) -> None:
    other = group.url.replace(SERVICE, "others")
    assert failure(other) == "The Sentinels do not monitor 'others'."
    away = f"redis+sentinel://:secret@{NOBODY},127.0.0.1:2/{SERVICE}"
    assert failure(away) == "No Sentinel of REDIS_URL can be reached."
    plain = f"redis+sentinel://127.0.0.1:{group.primary.port}/{SERVICE}"
    assert failure(plain) == "REDIS_URL names a server where it should name Sentinels."


def test_a_failover_on_request_needs_no_restart_of_ours(group: SentinelGroup) -> None:
    """The old primary lives on and takes writes, but not ours."""
    with ledger_of(group.url) as ledger, consumer_of(ledger) as consumed:
        admit(ledger, "before")
        wait_until(lambda: consumed == ["before"], "the consumer works")
        with contextlib.closing(group.primary.client()) as client:
            assert client.wait(1, 5000) == 1, "the replica has what was written"
        before = group.primary
        group.fail_over()
        assert group.primary is not before
        began = time.monotonic()
        admitted: list[str] = []
        with contextlib.closing(group.primary.client()) as client:

            def new_primary_used() -> bool:
                admit(ledger, f"after-{len(admitted)}")
                admitted.append(f"after-{len(admitted)}")
                return bool(client.exists(ledger.keys.job(admitted[-1])))

            wait_until(answers(new_primary_used), "submissions reach the new primary")
        assert time.monotonic() - began < ASK_SECONDS + 3, "it demotes the old one after eight"
        wait_until(lambda: admitted[-1] in consumed, "and so does the consumer")
        assert state(ledger, "before") == "active", "it was taken over"


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[RedisServer, SentinelServer, str]]:
    """A primary that nobody can replace, its only Sentinel, and the URL."""
    with (
        RedisServer(tmp_path / "a") as primary,
        SentinelServer(tmp_path / "s", primary, quorum=1) as sentinel,
    ):
        sentinel.hurry()
        yield primary, sentinel, f"redis+sentinel://127.0.0.1:{sentinel.port}/{SERVICE}"


def test_a_primary_without_an_heir_is_told_until_it_is_back(
    alone: tuple[RedisServer, SentinelServer, str],
) -> None:
    primary, sentinel, url = alone
    with ledger_of(url) as ledger:
        admit(ledger, "one")
        primary.kill()
        wait_until(lambda: "s_down" in sentinel.state()["flags"], "it is seen as down")
        assert failure(url) == f"The Sentinels know no healthy primary of {SERVICE!r}."
        primary.start()
        wait_until(answers(lambda: admit(ledger, "two")), "it is used again")


def test_a_primary_goes_on_being_used_while_no_sentinel_answers(
    alone: tuple[RedisServer, SentinelServer, str],
) -> None:
    _, sentinel, url = alone
    with ledger_of(url) as ledger:
        admit(ledger, "one")
        sentinel.kill()
        pool = ledger._client.connection_pool
        assert isinstance(pool, PrimaryPool)
        pool._ask_at = 0.0  # as a second later
        admit(ledger, "two")
        assert pool._ask_at > time.monotonic() + ASK_SECONDS, "and it is not asked for a while"


def test_a_connection_to_a_primary_that_is_demoted_is_dropped(
    alone: tuple[RedisServer, SentinelServer, str],
) -> None:
    """Where Sentinels demote a server they close its connections, but others do not."""
    primary, _, url = alone
    with ledger_of(url) as ledger, contextlib.closing(primary.client()) as admin:
        admit(ledger, "one")
        ours = ledger._client.client_id()
        admin.replicaof("127.0.0.1", "1")
        with pytest.raises(BrokerUnavailable, match=r"READONLY\): the server is a replica now"):
            admit(ledger, "two")
        wait_until(
            lambda: ours not in {int(item["id"]) for item in admin.client_list()}, "it is closed"
        )


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """URL of a Sentinel and a primary with passwords of their own."""
    users = [
        "user default off",
        "user teller on >secret1 resetchannels -@all +sentinel|masters",
        "user other on >secret2 resetchannels -@all +ping",
        f"sentinel auth-pass {SERVICE} secret3",
    ]
    with (
        RedisServer(tmp_path / "a", "--requirepass", "secret3") as primary,
        SentinelServer(tmp_path / "s", primary, quorum=1, lines=users) as sentinel,
    ):
        yield f"redis+sentinel://:secret3@127.0.0.1:{sentinel.port}/{SERVICE}"


def test_sentinels_have_credentials_of_their_own(guarded: str) -> None:
    teller = {"redis_sentinel_username": "teller", "redis_sentinel_password": "secret1"}

    def ping() -> object:
        with contextlib.closing(connect(settings(guarded, **teller))) as client, redis_errors():
            return client.ping()

    wait_until(answers(ping), "the Sentinel has seen the primary")
    refused = "The Sentinels refuse REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD."
    assert failure(guarded, redis_sentinel_password="secret9") == refused
    assert failure(guarded) == refused
    other = {"redis_sentinel_username": "other", "redis_sentinel_password": "secret2"}
    assert failure(guarded, **other) == refused
    wrong = guarded.replace("secret3", "secret4")
    assert failure(wrong, **teller) == "Redis refuses the credentials of REDIS_URL."
