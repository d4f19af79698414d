"""Celery on Redis, without a result backend."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from benchmarks.peers.queues.stamps import stamp

app = Celery("bench", broker=os.environ["REDIS_URL"])


def _work(payload: dict[str, Any]) -> None:
    stamp(payload)


work = app.task(name="work")(_work)


def enqueue(payload: dict[str, Any]) -> None:
    work.delay(payload)
