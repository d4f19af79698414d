"""The job ledger: every transition of a job is one Lua script, atomic and idempotent.

The scripts (``lua/*.lua``; each documents its arguments at the top) use the server's clock.
They can be called again when a reply was lost: the second call returns the answer of the first.
``keys.py`` documents the keys that they use.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Literal, cast

import orjson
import redis

from app.errors import WorkerLost
from app.ledger.archive import Archive
from app.ledger.bounds import bounded
from app.ledger.connection import redis_errors
from app.ledger.keys import State
from app.ledger.reader import WORKER_ALIVE_SECONDS, LedgerReader
from app.ledger.records import (
    Admission,
    Cancellation,
    Claimed,
    Fate,
    Progress,
    Recovered,
    Recovery,
)
from app.ledger.scripts import Scripts
from app.ledger.stills import StillQueue

#: Interval between searches for expired leases: the job of a dead worker is queued again at most
#: this long after the end of its lease.
RECOVER_SECONDS = 2.0
#: Most jobs per recovery, so that it never blocks the server for long.
RECOVER_BATCH = 100
#: Time that workers have to renew their leases after an outage: ten heartbeats.
AMNESTY_SECONDS = 5.0
#: Least interval between records of a worker's presence.
PRESENCE_SECONDS = 0.5


class Ledger(LedgerReader):
    """The jobs of one queue.

    Args:
        client: A client that does not retry (:func:`app.ledger.connect`).
        queue: Name of the queue.
        lease_seconds: Time without a heartbeat after which a worker loses its job.
        max_starts: A job whose worker died this many times fails as ``worker-lost``.
        retain: Whether to keep the records of ended jobs.

    All methods raise :class:`app.errors.BrokerUnavailable` when Redis is unreachable.
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
        super().__init__(client, queue=queue)
        #: Length of a lease, in seconds.
        self.lease_seconds = lease_seconds
        self._lease_ms = int(lease_seconds * 1000)
        self._max_starts = max_starts
        self._retain = retain
        self._scripts = Scripts(client, self.keys)
        self._run = self._scripts.run
        #: The ended jobs.
        self.archive = Archive(client, queue=queue)
        #: The requests for stills.
        self.stills = StillQueue(client, queue=queue)

    # Transitions

    def admit(
        self, job: Admission, *, limit: int | None
    ) -> Literal["admitted", "existing", "conflict", "full"]:
        """Record a job, unless it exists already or the queue has ``limit`` live jobs."""
        fields: dict[str, str | bytes | int] = {
            "request": job.request,
            "dry_run": int(job.dry_run),
            "max_attempts": job.max_attempts,
            "traceparent": job.traceparent,
            "track": job.track,
            "message": job.message,
        }
        answer = self._run(
            "admit",
            job.job_id,
            job.message_id,
            job.digest,
            -1 if limit is None else limit,
            job.delay_ms,
            job.priority,
            job.project,
            *_flatten(fields),
        )
        return cast("Literal['admitted', 'existing', 'conflict', 'full']", answer[0].decode())

    def claim(
        self, worker: str, *, token: str, free: bool, info: Mapping[str, Any]
    ) -> tuple[Claimed | None, float | None]:
        """Record the consumer's presence, and claim the next job if a slot is free.

        Returns:
            The job, if any, and the seconds until the next delayed job is due, if any.
        """
        answer = self._run(
            "claim",
            worker,
            token,
            self._lease_ms,
            int(free),
            orjson.dumps(info),
            int(WORKER_ALIVE_SECONDS * 1000),
            int(PRESENCE_SECONDS * 1000),
        )
        if answer[0] is None:
            return None, None if answer[1] < 0 else answer[1] / 1000
        fence, spent, allowed, queued_us = (int(answer[index]) for index in (1, 3, 4, 5))
        job = Claimed(
            job_id=answer[0].decode(),
            fence=fence,
            message=answer[2] or b"",
            attempt=spent + 1,
            max_attempts=allowed,
            waited_seconds=max(0.0, (fence - queued_us) / 1_000_000),
        )
        return job, None

    def beat(self, job_id: str, fence: int, progress: Progress) -> Literal["go", "cancel", "stale"]:
        """Renew the lease and store the progress. The answer says whether to continue."""
        answer = self._run(
            "beat",
            job_id,
            fence,
            self._lease_ms,
            progress.phase,
            progress.frames_done,
            progress.frames_total,
        )
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
            fence: The fence that the claim returned.
            fate: Outcome of the attempt. A cancellation that was accepted before takes precedence.
            delay_seconds: Time until the retry, if ``fate`` is ``delayed``.
            fields: JSON-ready values of ``error``, ``warnings``, ``artifacts`` and ``plan``.
                Long errors and many warnings are cut (:mod:`app.ledger.bounds`).

        Returns:
            The new state of the job; ``stale`` if another worker holds it.
        """
        encoded = {name: orjson.dumps(value) for name, value in bounded(fields or {}).items()}
        answer = self._run(
            "settle",
            job_id,
            fence,
            fate,
            int(delay_seconds * 1000),
            int(self._retain),
            *_flatten(encoded),
        )
        outcome, state = answer[0].decode(), answer[1].decode()
        return cast(
            "State | Literal['stale', 'missing']", state if outcome == "settled" else outcome
        )

    def cancel(self, job_id: str) -> Cancellation:
        """Cancel a waiting job at once; ask the worker of a running one to stop."""
        answer = self._run("cancel", job_id)
        return cast("Cancellation", answer[0].decode())

    def recover(self) -> list[Recovered]:
        """Give back the jobs of workers that fell silent, and live jobs that no list holds.

        Of all that ask within :data:`RECOVER_SECONDS`, one does it; a batch at a time. When
        none could ask for a while, workers first have :data:`AMNESTY_SECONDS` to renew leases.
        """
        answer = self._run(
            "recover",
            int(RECOVER_SECONDS * 1000),
            RECOVER_BATCH,
            self._max_starts,
            self._lost_error(),
            int(AMNESTY_SECONDS * 1000),
            int(self._retain),
        )
        words = [word.decode() for word in answer]
        return [
            Recovered(job_id, cast("Recovery", outcome), lost_track)
            for job_id, outcome, lost_track in zip(
                words[::3], words[1::3], words[2::3], strict=True
            )
        ]

    def _lost_error(self) -> bytes:
        lost = WorkerLost(f"The job's workers ended {self._max_starts} times without a result.")
        return orjson.dumps(lost.to_problem())

    # Waiting

    def wait_for_work(self, seconds: float) -> None:
        """Block until a job may be claimable, for at most ``seconds``."""
        self._scripts.wait("wake", max(0.01, seconds))

    def forget_worker(self, worker: str) -> None:
        """Remove a consumer that is shutting down from the list of workers."""
        with redis_errors(), self._client.pipeline() as pipe:
            pipe.zrem(self.keys["workers"], worker)
            pipe.hdel(self.keys["workers:info"], worker)
            pipe.hdel(self.keys["claims"], worker)
            pipe.execute()

    # Cron

    def record_tick(self, name: str, *, token: str | None = None) -> bool:
        """Return whether the caller may run a cron task: once a minute, whoever asks.

        Args:
            name: The task.
            token: Idempotency key: a second call with the same token gives the same answer.
        """
        return bool(self._run("tick", name, token or uuid.uuid4().hex))


def _flatten(fields: Mapping[str, str | bytes | int]) -> list[str | bytes | int]:
    return [item for pair in fields.items() for item in pair]
