"""The job ledger: every transition of a job is one Lua script, atomic and repeatable.

The scripts (``lua/*.lua``, the arguments of each at its top) use the server's
clock and may be repeated when a reply was lost: the second call gives the
answer of the first. ``keys.py`` documents what they keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal, cast

import orjson
import redis

from app.errors import WorkerLost
from app.ledger.connection import redis_errors
from app.ledger.keys import PRIORITIES, Keys, State
from app.ledger.records import (
    Admission,
    Begun,
    Cancellation,
    Claimed,
    Fate,
    Progress,
    QueueStats,
    Record,
    Worker,
)

#: A consumer shows itself at least every second; after this it counts as gone.
WORKER_ALIVE_SECONDS = 15.0
#: More than any page of a listing.
MAX_PAGE = 200


@cache
def _source(name: str) -> str:
    lua = resources.files("app.ledger") / "lua"
    return (lua / "prelude.lua").read_text() + (lua / f"{name}.lua").read_text()


class Ledger:
    """The jobs of one queue.

    Args:
        client: A client without retries of its own (:func:`app.ledger.connect`).
        queue: Name of the queue.
        lease_seconds: How long a worker may be silent before it loses its job.
        max_starts: Starts without an end before a job counts as ``worker-lost``.
        retain: Whether jobs that ended stay on record.

    All methods raise :class:`app.errors.BrokerUnavailable` when Redis is away.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        queue: str,
        lease_seconds: float,
        max_starts: int,
        retain: bool = True,
    ) -> None:
        self.keys = Keys(queue)
        self.queue = queue
        self._client = client
        self._lease_ms = int(lease_seconds * 1000)
        self._max_starts = max_starts
        self._retain = retain
        self._scripts = {
            name: client.register_script(_source(name))
            for name in ("admit", "claim", "begin", "beat", "settle", "cancel", "tick")
        }

    def _run(self, script: str, *args: str | bytes | int) -> Any:
        with redis_errors():
            return self._scripts[script](keys=[self.keys.prefix], args=list(args))

    # Transitions

    def admit(
        self, job: Admission, *, limit: int | None
    ) -> Literal["admitted", "existing", "conflict", "full"]:
        """Record a job, unless it exists or ``limit`` jobs are live."""
        fields: dict[str, str | bytes | int] = {
            "request": job.request,
            "dry_run": int(job.dry_run),
            "max_attempts": job.max_attempts,
            "traceparent": job.traceparent,
            "track": job.track,
            "message": job.message,
        }
        answer = self._run(
            "admit", job.job_id, job.message_id, job.digest, -1 if limit is None else limit,
            job.delay_ms, job.priority, job.project, *_flatten(fields),
        )  # fmt: skip
        return cast("Literal['admitted', 'existing', 'conflict', 'full']", answer[0].decode())

    def claim(
        self, worker: str, *, token: str, free: bool, info: Mapping[str, Any]
    ) -> tuple[Claimed | None, float | None]:
        """Show the consumer's presence and take the next job when a slot is free.

        Returns:
            The job or None, and the seconds until a delayed job is due, if any.
        """
        answer = self._run(
            "claim", worker, token, self._lease_ms, int(free), orjson.dumps(info),
            int(WORKER_ALIVE_SECONDS * 1000),
        )  # fmt: skip
        if answer[0] is None:
            return None, None if answer[1] < 0 else answer[1] / 1000
        return Claimed(answer[0].decode(), int(answer[1]), answer[2] or b""), None

    def begin(self, job_id: str, fence: int) -> Begun:
        """Ask for the right to run a claimed job."""
        lost = WorkerLost(f"The job's workers ended {self._max_starts} times without a result.")
        answer = self._run(
            "begin", job_id, fence, self._lease_ms, self._max_starts,
            orjson.dumps(lost.to_problem()),
        )  # fmt: skip
        outcome = answer[0].decode()
        if outcome != "granted":
            return Begun(outcome)
        spent, allowed, queued_us, now_us = (int(value) for value in answer[1:])
        return Begun(
            "granted",
            attempt=spent + 1,
            max_attempts=allowed,
            waited_seconds=max(0.0, (now_us - queued_us) / 1_000_000),
        )

    def beat(self, job_id: str, fence: int, progress: Progress) -> Literal["go", "cancel", "stale"]:
        """Renew the lease and store progress; the answer says whether to go on."""
        answer = self._run(
            "beat", job_id, fence, self._lease_ms, progress.phase, progress.frames_done,
            progress.frames_total,
        )  # fmt: skip
        return cast("Literal['go', 'cancel', 'stale']", answer.decode())

    def settle(
        self,
        job_id: str,
        fence: int,
        fate: Fate,
        *,
        delay_seconds: float = 0.0,
        fields: Mapping[str, Any] | None = None,
    ) -> State | Literal["stale", "missing"]:
        """End an attempt.

        Args:
            job_id: The job.
            fence: What the claim gave.
            fate: What the attempt came to. A cancellation acknowledged before wins.
            delay_seconds: Until the retry, for ``delayed``.
            fields: JSON-ready values for ``error``, ``warnings``, ``artifacts``, ``plan``.

        Returns:
            The job's state from now on; ``stale`` when another holds the job.
        """
        encoded = {name: orjson.dumps(value) for name, value in (fields or {}).items()}
        answer = self._run(
            "settle", job_id, fence, fate, int(delay_seconds * 1000), int(self._retain),
            *_flatten(encoded),
        )  # fmt: skip
        outcome, state = answer[0].decode(), answer[1].decode()
        return cast(
            "State | Literal['stale', 'missing']", state if outcome == "settled" else outcome
        )

    def cancel(self, job_id: str) -> Cancellation:
        """Cancel a waiting job at once, ask a running one to stop."""
        answer = self._run("cancel", job_id)
        return cast("Cancellation", answer[0].decode())

    # Waiting

    def wait_for_work(self, seconds: float) -> None:
        """Block until a job may be claimable, at most ``seconds``."""
        with redis_errors():
            self._client.blpop([self.keys["wake"]], timeout=max(0.01, seconds))

    def forget_worker(self, worker: str) -> None:
        """Remove a consumer that ends from the living."""
        with redis_errors(), self._client.pipeline() as pipe:
            pipe.zrem(self.keys["workers"], worker)
            pipe.hdel(self.keys["workers:info"], worker)
            pipe.hdel(self.keys["claims"], worker)
            pipe.execute()

    # Cron

    def record_tick(self, name: str) -> bool:
        """Ask to run a cron task; only one of all who ask within a minute may."""
        return bool(self._run("tick", name))

    def last_tick(self, name: str) -> float | None:
        """Read when a cron task last ran, in seconds since 1970."""
        with redis_errors():
            value = cast("bytes | None", self._client.get(self.keys[f"tick:{name}"]))
        return None if value is None else float(value)

    # Reading

    def get(self, job_id: str) -> Record | None:
        """Read a job."""
        with redis_errors():
            values = self._client.hmget(self.keys.job(job_id), list(Record.FIELDS))
        return Record.parse(job_id, cast("list[bytes | None]", values))

    def list_jobs(
        self,
        *,
        state: State | None = None,
        project: str | None = None,
        before_us: int | None = None,
        limit: int = 50,
    ) -> tuple[Sequence[Record], int | None]:
        """Read a page of jobs, newest first, at a cost that no other job adds to.

        Returns:
            The records and the cursor (``before_us``) of the next page, if any.
        """
        size = max(1, min(limit, MAX_PAGE))
        newest = "+inf" if before_us is None else f"({before_us}"
        with redis_errors():
            found = self._client.zrevrangebyscore(
                self.keys.index(state=state, project=project), newest, "-inf",
                start=0, num=size + 1, withscores=True,
            )  # fmt: skip
            rows = cast("list[tuple[bytes, float]]", found)
            page = [(job_id.decode(), int(score)) for job_id, score in rows[:size]]
            with self._client.pipeline(transaction=False) as pipe:
                for job_id, _ in page:
                    pipe.hmget(self.keys.job(job_id), list(Record.FIELDS))
                answers = pipe.execute()
        records = [
            Record.parse(job_id, values) for (job_id, _), values in zip(page, answers, strict=True)
        ]
        cursor = page[-1][1] if len(rows) > size else None
        return [record for record in records if record is not None], cursor

    def stats(self) -> QueueStats:
        """Count the jobs and the living workers, at constant cost."""
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
            waiting=sum(waiting.values()), active=active, delayed=delayed, completed=completed,
            failed=failed, cancelled=cancelled, by_priority=waiting,
            oldest_waiting_seconds=max(0.0, now - min(oldest)) if oldest else 0.0,
            workers=_living(seen, info, now),
        )  # fmt: skip


def _flatten(fields: Mapping[str, str | bytes | int]) -> list[str | bytes | int]:
    return [item for pair in fields.items() for item in pair]


def _living(
    seen: Sequence[tuple[bytes, float]], info: Mapping[bytes, bytes], now: float
) -> tuple[Worker, ...]:
    workers = []
    for name, seen_ms in seen:
        if now - seen_ms / 1000 <= WORKER_ALIVE_SECONDS and name in info:
            told = orjson.loads(info[name])
            workers.append(
                Worker(name.decode(), told["slots"], told["busy"], told["track"], seen_ms / 1000)
            )
    return tuple(workers)
