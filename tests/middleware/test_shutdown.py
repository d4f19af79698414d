from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from dramatiq import Worker
from dramatiq.brokers.stub import StubBroker

from app.broker import Slots
from app.middleware import Shutdown
from app.middleware.shutdown import LEEWAY_SECONDS


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """The signals that reach what Dramatiq has installed."""
    numbers: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: numbers.append(number))
        for number in (signal.SIGTERM, signal.SIGHUP)
    }
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


def booted(grace_seconds: float) -> tuple[Shutdown, StubBroker]:
    shutdown = Shutdown(Slots(limits={}, threads=1), grace_seconds=grace_seconds)
    broker = StubBroker(middleware=[])
    shutdown.after_process_boot(broker)
    return shutdown, broker


def test_only_the_first_signal_counts_until_the_worker_is_overdue(heard: list[int]) -> None:
    shutdown, broker = booted(grace_seconds=600)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    shutdown.before_worker_shutdown(broker, Worker(broker))
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGHUP)
    assert heard == [signal.SIGTERM]


def test_a_worker_that_is_overdue_can_be_ended(heard: list[int]) -> None:
    shutdown, broker = booted(grace_seconds=-LEEWAY_SECONDS)
    signal.raise_signal(signal.SIGHUP)
    shutdown.before_worker_shutdown(broker, Worker(broker))
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGHUP, signal.SIGTERM]


def test_a_signal_that_is_ignored_stays_ignored(heard: list[int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    booted(grace_seconds=1)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_the_grace_period_begins_with_the_shutdown() -> None:
    shutdown = Shutdown(Slots(limits={}, threads=1), grace_seconds=0.0)
    assert not shutdown.expired()
    broker = StubBroker(middleware=[])
    shutdown.before_worker_shutdown(broker, Worker(broker))
    assert shutdown.expired()
