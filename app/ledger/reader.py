"""Reads the ledger: jobs, lists and counts, at a cost that does not depend on the queue's size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import orjson
import redis

from app.ledger.connection import redis_errors
from app.ledger.keys import PRIORITIES, Keys, State
from app.ledger.records import DeadLetterFilter, QueueStats, Record, Worker

#: A consumer records its presence at least every second; after this time it counts as gone.
WORKER_ALIVE_SECONDS = 15.0
#: Most jobs of one page.
MAX_PAGE = 200


class LedgerReader:
    """Read access to one queue.

    Args:
        client: A client that does not retry (:func:`app.ledger.connect`).
        queue: Name of the queue.

    All methods raise :class:`app.errors.BrokerUnavailable` when Redis is unreachable.
    """

    def __init__(self, client: redis.Redis, *, queue: str) -> None:
        self.keys = Keys(queue)
        self.queue = queue
        self._client = client

    def get(self, job_id: str) -> Record | None:
        """Read a job."""
        with redis_errors():
            values = self._client.hmget(self.keys.job(job_id), list(Record.FIELDS))
        return Record.parse(job_id, cast("list[bytes | None]", values))

    def get_many(self, job_ids: Sequence[str]) -> list[Record | None]:
        """Read jobs in one round trip, without their plans."""
        with redis_errors(), self._client.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hmget(self.keys.job(job_id), list(Record.LIST_FIELDS))
            answers = pipe.execute()
        return [
            Record.parse(job_id, (*values, None))
            for job_id, values in zip(job_ids, answers, strict=True)
        ]

    def message(self, job_id: str) -> bytes | None:
        """Read the encoded message of a job, None if it has none, as when it completed."""
        with redis_errors():
            return cast("bytes | None", self._client.hget(self.keys.job(job_id), "message"))

    def list_jobs(
        self,
        *,
        state: State | None = None,
        project: str | None = None,
        before_us: int | None = None,
        limit: int = 50,
    ) -> tuple[Sequence[Record], int | None]:
        """Read a page of jobs, the newest first.

        Returns:
            The records without their plans, and the cursor (``before_us``) of the next page, if
            any.
        """
        newest = "+inf" if before_us is None else f"({before_us}"
        return self._page(self.keys.index(state=state, project=project), newest=newest, limit=limit)

    def list_dead_letters(
        self, wanted: DeadLetterFilter, *, before_us: int | None = None, limit: int = 50
    ) -> tuple[Sequence[Record], int | None]:
        """Read a page of dead letters, the last failed first. Returns as :meth:`list_jobs` does."""
        oldest, until = _bounds(wanted)
        bounds = [bound for bound in (until, before_us) if bound is not None]
        records, cursor = self._page(
            self.keys.dead(code=wanted.code, project=wanted.project),
            newest=f"({min(bounds)}" if bounds else "+inf",
            oldest=oldest,
            limit=limit,
        )
        # One may have been replayed since the index was read.
        return [record for record in records if record.state == "failed"], cursor

    def count_dead_letters(self, wanted: DeadLetterFilter) -> int:
        """Count dead letters, without reading them."""
        oldest, until = _bounds(wanted)
        with redis_errors():
            return self._client.zcount(
                self.keys.dead(code=wanted.code, project=wanted.project),
                oldest,
                "+inf" if until is None else f"({until}",
            )

    def count_dead_letters_of(self, codes: Iterable[str]) -> int:
        """Count the dead letters of several error codes."""
        with redis_errors(), self._client.pipeline(transaction=False) as pipe:
            for code in codes:
                pipe.zcard(self.keys.dead(code=code))
            return sum(pipe.execute())

    def oldest_dead_letters(self, wanted: DeadLetterFilter, *, limit: int) -> list[str]:
        """Return the ids of dead letters, the first failed first."""
        oldest, until = _bounds(wanted)
        with redis_errors():
            found = self._client.zrangebyscore(
                self.keys.dead(code=wanted.code, project=wanted.project),
                oldest,
                "+inf" if until is None else f"({until}",
                start=0,
                num=limit,
            )
        return [job_id.decode() for job_id in cast("list[bytes]", found)]

    def _page(
        self, index: str, *, newest: str, oldest: str | int = "-inf", limit: int
    ) -> tuple[Sequence[Record], int | None]:
        """Read the records of an index by strictly decreasing scores."""
        size = max(1, min(limit, MAX_PAGE))
        with redis_errors():
            found = self._client.zrevrangebyscore(
                index, newest, oldest, start=0, num=size + 1, withscores=True
            )
            rows = cast("list[tuple[bytes, float]]", found)
        page = rows[:size]
        records = self.get_many([job_id.decode() for job_id, _ in page])
        cursor = int(page[-1][1]) if len(rows) > size else None
        return [record for record in records if record is not None], cursor

    def stats(self) -> QueueStats:
        """Count the jobs and the live workers, at constant cost."""
        keys = self.keys
        with redis_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.time()
            for priority in PRIORITIES:
                pipe.zcard(keys[f"waiting:{priority}"])
                pipe.zrange(keys[f"waiting:{priority}"], 0, 0, withscores=True)
            for name in ("active", "delayed", "completed", "failed", "cancelled"):
                pipe.zcard(keys[name])
            pipe.zrange(keys["workers"], 0, -1, withscores=True)
            pipe.hgetall(keys["workers:info"])
            (seconds, micros), *answers = pipe.execute()
        now = seconds + micros / 1_000_000
        waiting = dict(zip(PRIORITIES, answers[0:6:2], strict=True))
        oldest = [rows[0][1] / 1_000_000 for rows in answers[1:6:2] if rows]
        active, delayed, completed, failed, cancelled, seen, info = answers[6:]
        return QueueStats(
            waiting=sum(waiting.values()),
            active=active,
            delayed=delayed,
            completed=completed,
            failed=failed,
            cancelled=cancelled,
            by_priority=waiting,
            oldest_waiting_seconds=max(0.0, now - min(oldest)) if oldest else 0.0,
            workers=_living(seen, info, now),
        )

    def last_tick(self, name: str) -> float | None:
        """Read when a cron task last ran, in seconds since 1970."""
        with redis_errors():
            value = cast("bytes | None", self._client.hget(self.keys[f"tick:{name}"], "at"))
        return None if value is None else float(value)


def _bounds(wanted: DeadLetterFilter) -> tuple[int | str, int | None]:
    """Return the lowest score, and the exclusive upper bound if there is one."""
    oldest = "-inf" if wanted.failed_from is None else int(wanted.failed_from * 1_000_000)
    until = None if wanted.failed_until is None else int(wanted.failed_until * 1_000_000)
    return oldest, until


def _living(
    seen: Sequence[tuple[bytes, float]], info: Mapping[bytes, bytes], now: float
) -> tuple[Worker, ...]:
    workers = []
    for name, seen_ms in seen:
        # One that was seen in time to come, before the clock was set back, has not been seen since.
        if abs(now - seen_ms / 1000) <= WORKER_ALIVE_SECONDS and name in info:
            told = orjson.loads(info[name])
            resting = told.get("resting", 0)  # workers of earlier versions do not say it
            workers.append(
                Worker(name.decode(), told["slots"], told["busy"], told["track"], resting)
            )
    return tuple(workers)
