"""RQ, which forks a process for each job."""

from __future__ import annotations

import os
from typing import Any

from redis import Redis
from rq import Queue

from benchmarks.peers.queues.stamps import stamp

queue = Queue(connection=Redis.from_url(os.environ["REDIS_URL"]))


def enqueue(payload: dict[str, Any]) -> None:
    queue.enqueue(stamp, payload)
