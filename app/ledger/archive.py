"""Ended jobs: replay and purge of dead letters, and the sweep of expired results."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import cast

import redis

from app.ledger.connection import redis_errors
from app.ledger.keys import Keys
from app.ledger.records import Purge, Replay, Retention, Swept
from app.ledger.scripts import Scripts

#: Most jobs per call of a script, so that a call never blocks the server for long.
BATCH = 100


class Archive:
    """The ended jobs of one queue.

    Args:
        client: A client that does not retry (:func:`app.ledger.connect`).
        queue: Name of the queue.

    All methods raise :class:`app.errors.BrokerUnavailable` when Redis is unreachable.
    """

    def __init__(self, client: redis.Redis, *, queue: str) -> None:
        self._client = client
        self._keys = Keys(queue)
        self._scripts = Scripts(client, self._keys)

    def replay(
        self, job_ids: Sequence[str], *, limit: int | None, token: str | None = None
    ) -> list[Replay]:
        """Queue dead letters again, with the same payload and priority and no attempts spent.

        If several callers replay a job at the same time, it is replayed once.

        Args:
            job_ids: The dead letters, in the order in which to queue them.
            limit: Most live jobs of the queue. Jobs beyond it stay dead letters.
            token: Idempotency key: a second call with the same token gives the same answer.

        Returns:
            The outcome for each job.
        """
        token = token or uuid.uuid4().hex
        outcomes: list[Replay] = []
        for start in range(0, len(job_ids), BATCH):
            batch = job_ids[start : start + BATCH]
            answer = self._scripts.run("replay", token, -1 if limit is None else limit, *batch)
            outcomes += [cast("Replay", word.decode()) for word in answer]
        return outcomes

    def transient(self, limit: int) -> list[str]:
        """Return dead letters that may be replayed automatically, the oldest first."""
        with redis_errors():
            found = self._client.zrange(self._keys["failed:transient"], 0, limit - 1)
        return [job_id.decode() for job_id in cast("list[bytes]", found)]

    def ended_since(self, seconds: float) -> tuple[int, int]:
        """Count the jobs that completed and that failed in the last ``seconds``."""
        with redis_errors():
            whole, micros = self._client.time()
            since = whole * 1_000_000 + micros - int(seconds * 1_000_000)
            completed, failed = (
                self._client.zcount(self._keys[name], since, "+inf")
                for name in ("completed", "failed")
            )
        return completed, failed

    def purge(self, job_id: str) -> Purge:
        """Delete a dead letter for good."""
        return cast("Purge", self._scripts.run("purge", job_id).decode())

    def sweep(self, retention: Retention) -> Swept:
        """Expire results and delete old records, one batch per call.

        The caller must delete the files of ``expired`` and then call :meth:`results_deleted`.
        """
        answer = self._scripts.run(
            "sweep",
            BATCH,
            _ms(retention.result_seconds),
            _ms(retention.record_seconds),
            _ms(retention.dead_letter_seconds),
            retention.dead_letters,
        )
        expired, forgotten, dropped, more = answer
        return Swept(
            expired=tuple(job_id.decode() for job_id in expired),
            forgotten=forgotten,
            dropped=tuple(job_id.decode() for job_id in dropped),
            more=bool(more),
        )

    def results_deleted(self, job_id: str) -> None:
        """Record that the files of an expired job have been deleted."""
        with redis_errors():
            self._client.zrem(self._keys["results"], job_id)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
