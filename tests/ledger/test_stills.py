"""Requests for stills: bounded, short-lived, and answered once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import redis

from app.errors import NoWorker, QueueFull, RenderTimeout
from app.ledger import Ledger, StillQueue, TakenStill
from app.ledger import stills as module


@pytest.fixture
def stills(ledger: Ledger) -> StillQueue:
    """A queue on which a worker has just been seen."""
    assert ledger.stills.take() is None
    return ledger.stills


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(module.MAX_WAITING) as threads:
        yield threads


def taken(stills: StillQueue) -> TakenStill:
    while (found := stills.take()) is None:
        stills.wait()
    return found


def keys(client: redis.Redis, ledger: Ledger) -> set[str]:
    """The keys of requests and answers that are left."""
    prefix = ledger.keys.prefix
    found = {key.decode().removeprefix(prefix) for key in client.scan_iter(match=f"{prefix}*")}
    return found - {"stills:slot", "stills:wake"}


def test_a_request_is_answered_once_and_leaves_nothing(
    stills: StillQueue, threads: ThreadPoolExecutor, client: redis.Redis, ledger: Ledger
) -> None:
    asked = threads.submit(stills.ask, b"request")
    one = taken(stills)
    assert one.request == b"request"
    assert 0 < one.left_seconds <= module.STILL_SECONDS
    assert stills.take() is None  # nobody else gets it
    assert stills.beat(one.id)
    assert stills.answer(one.id, b"picture\n\0")
    assert asked.result() == b"picture\n\0"
    assert not stills.answer(one.id, b"again")
    assert keys(client, ledger) == set()


def test_requests_are_taken_in_their_order_by_workers_that_wake_each_other(
    stills: StillQueue, threads: ThreadPoolExecutor
) -> None:
    asked: list[Future[bytes]] = []
    for number in range(3):
        asked.append(threads.submit(stills.ask, str(number).encode()))
        stills.wait()  # until it is there
        stills._client.rpush(stills._keys["stills:wake"], b"1")
    for number in range(3):
        stills.wait()
        one = taken(stills)
        assert one.request == str(number).encode()
        stills.answer(one.id, one.request)
    assert [each.result() for each in asked] == [b"0", b"1", b"2"]


def test_a_request_whose_time_is_over_is_neither_drawn_nor_answered(
    stills: StillQueue, threads: ThreadPoolExecutor, client: redis.Redis, ledger: Ledger
) -> None:
    with pytest.raises(RenderTimeout):
        stills.ask(b"request", seconds=0.05)
    assert stills.take() is None
    asked = threads.submit(stills.ask, b"request", seconds=0.5)
    one = taken(stills)
    assert stills.beat(one.id)
    assert isinstance(asked.exception(), RenderTimeout)
    assert not stills.beat(one.id)
    assert not stills.answer(one.id, b"too late")
    assert keys(client, ledger) == set()


def test_a_request_of_a_client_that_died_gives_its_place_up(
    stills: StillQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    monkeypatch.setattr(StillQueue, "_drop", lambda *_: None)  # as if it could not be sent
    with pytest.raises(RenderTimeout):
        stills.ask(b"one", seconds=0.05)
    with pytest.raises(RenderTimeout):
        stills.ask(b"two", seconds=0.05)
    assert stills.take() is None


def test_without_a_worker_nobody_waits(ledger: Ledger) -> None:
    with pytest.raises(NoWorker) as caught:
        ledger.stills.ask(b"request")
    assert caught.value.retry_after_seconds == module.ABSENT_RETRY_SECONDS


def test_who_waits_hears_that_the_last_worker_has_gone(
    stills: StillQueue, client: redis.Redis, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(module, "PRESENCE_SECONDS", 0.1)
    assert stills.take() is None
    with pytest.raises(NoWorker):
        stills.ask(b"request")
    assert keys(client, ledger) == set()


def test_more_than_may_wait_are_refused(
    stills: StillQueue, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    asked = threads.submit(stills.ask, b"request")
    stills.wait()
    with pytest.raises(QueueFull) as caught:
        stills.ask(b"another")
    assert caught.value.retry_after_seconds == module.FULL_RETRY_SECONDS
    one = taken(stills)
    stills.answer(one.id, b"")
    assert asked.result() == b""
