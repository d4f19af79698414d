"""arq, on asyncio."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings

from benchmarks.peers.queues.stamps import stamp

REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])


async def work(_context: dict[str, Any], payload: dict[str, Any]) -> None:
    stamp(payload)


class WorkerSettings:
    """What ``arq benchmarks.peers.queues.on_arq.WorkerSettings`` runs."""

    functions = (work,)
    redis_settings = REDIS
    max_jobs = 2


class _Client:
    """A loop and a connection that stay, as in a service."""

    def __init__(self) -> None:
        self.run = asyncio.Runner().run
        self.pool = self.run(create_pool(REDIS))


_clients: list[_Client] = []


def enqueue(payload: dict[str, Any]) -> None:
    if not _clients:
        _clients.append(_Client())
    _clients[0].run(_clients[0].pool.enqueue_job("work", payload))
