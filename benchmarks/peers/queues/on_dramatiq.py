"""Stock Dramatiq on its RedisBroker."""

from __future__ import annotations

import os
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers.queues.stamps import stamp

broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]  # upstream
dramatiq.set_broker(broker)


@dramatiq.actor
def work(payload: dict[str, Any]) -> None:
    stamp(payload)


def enqueue(payload: dict[str, Any]) -> None:
    work.send(payload)
