"""The job ledger: every transition of a job is one Lua script, atomic and repeatable.

The scripts (``lua/*.lua``, the arguments of each at its top) use the server's
clock and may be repeated when a reply was lost: the second call gives the
answer of the first. ``keys.py`` documents what they keep.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Literal, cast

import orjson
import redis

from app.errors import WorkerLost
from app.ledger.archive import Archive
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

#: How often expired leases are looked for: a dead worker's job is back that long after its lease.
RECOVER_SECONDS = 2.0
#: Most jobs that one look gives back, so that it never holds the server up.
RECOVER_BATCH = 100
#: After an outage, how long workers have to renew their leases: ten beats.
AMNESTY_SECONDS = 5.0
#: How often a worker's claims note its presence.
PRESENCE_SECONDS = 0.5


class Ledger(LedgerReader):
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
        super().__init__(client, queue=queue)
        #: How long a job is its worker's without a beat.
        self.lease_seconds = lease_seconds
        self._lease_ms = int(lease_seconds * 1000)
        self._max_starts = max_starts
        self._retain = retain
        self._scripts = Scripts(client, self.keys)
        self._run = self._scripts.run
        #: The jobs that have ended.
        self.archive = Archive(client, queue=queue)

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
        """Show the consumer's presence and take the next job when a slot is free.

        Returns:
            The job or None, and the seconds until a delayed job is due, if any.
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
        """Renew the lease and store progress; the answer says whether to go on."""
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
            fence: What the claim gave.
            fate: What the attempt came to. A cancellation acknowledged before wins.
            delay_seconds: Until the retry, for ``delayed``.
            fields: JSON-ready values for ``error``, ``warnings``, ``artifacts``, ``plan``.

        Returns:
            The job's state from now on; ``stale`` when another holds the job.
        """
        encoded = {name: orjson.dumps(value) for name, value in (fields or {}).items()}
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
        """Cancel a waiting job at once, ask a running one to stop."""
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
        """Block until a job may be claimable, at most ``seconds``."""
        self._scripts.wait("wake", max(0.01, seconds))

    def forget_worker(self, worker: str) -> None:
        """Remove a consumer that ends from the living."""
        with redis_errors(), self._client.pipeline() as pipe:
            pipe.zrem(self.keys["workers"], worker)
            pipe.hdel(self.keys["workers:info"], worker)
            pipe.hdel(self.keys["claims"], worker)
            pipe.execute()

    # Cron

    def record_tick(self, name: str, *, token: str | None = None) -> bool:
        """Ask to run a cron task; only one of all who ask within a minute may.

        Args:
            name: The task.
            token: Names this run; the same one gets the same answer.
        """
        return bool(self._run("tick", name, token or uuid.uuid4().hex))


def _flatten(fields: Mapping[str, str | bytes | int]) -> list[str | bytes | int]:
    return [item for pair in fields.items() for item in pair]
