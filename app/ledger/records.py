"""Values that go into the ledger and come out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

import orjson

from app.ledger.keys import Priority, State

#: Outcomes of an attempt. ``released`` puts the job back and spends no attempt.
Fate = Literal["completed", "delayed", "failed", "cancelled", "released"]

#: Outcomes of a cancellation: cancelled now, cancelled before, requested of the worker that runs
#: the job, too late because it ended otherwise, no such job.
Cancellation = Literal["cancelled", "already", "requested", "ended", "missing"]

#: Outcomes of a replay: queued again, no such job, not a dead letter because it is live or ended
#: otherwise, queue full, message lost.
Replay = Literal["replayed", "missing", "live", "ended", "full", "lost"]

#: Outcomes of a purge.
Purge = Literal["purged", "missing", "live", "ended"]

#: Outcomes of a recovery, for a job whose worker died or that was missing from every list.
Recovery = Literal["queued", "cancelled", "failed", "relisted"]


@dataclass(frozen=True, slots=True)
class Admission:
    """A job to be recorded. ``message`` is the encoded Dramatiq message."""

    job_id: str
    message_id: str
    message: bytes
    digest: str
    priority: Priority = "normal"
    project: str = ""
    request: str = ""
    dry_run: bool = False
    max_attempts: int = 1
    traceparent: str = ""
    track: str = ""
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that a consumer has claimed for the length of a lease.

    Attributes:
        job_id: The job.
        fence: Fencing token of the claim, which every later call must present.
        message: The encoded message.
        attempt: Number of the attempt, from 1.
        max_attempts: Most attempts of the job.
        waited_seconds: Time since the job became claimable.
    """

    job_id: str
    fence: int
    message: bytes
    attempt: int
    max_attempts: int
    waited_seconds: float


class Recovered(NamedTuple):
    """A job that ended or was queued again without a worker.

    ``lost_track`` is the track of the worker that died with the job, "" if none did.
    """

    job_id: str
    outcome: Recovery
    lost_track: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a running job."""

    phase: str
    frames_done: int = 0
    frames_total: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A job as stored in the ledger. Times are seconds since 1970, None if not reached yet.

    ``track`` belongs to the worker that claimed the job last, before that to the process that
    submitted it.
    """

    job_id: str
    state: State
    digest: str
    priority: Priority
    project: str
    request: str
    dry_run: bool
    attempts: int
    max_attempts: int
    fence: int
    progress: Progress
    created_at: float
    started_at: float | None
    finished_at: float | None
    heartbeat_at: float | None
    expired_at: float | None
    replays: int
    track: str
    traceparent: str
    error: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    artifacts: tuple[Mapping[str, Any], ...] = ()
    plan: Mapping[str, Any] | None = None

    #: Hash fields that :meth:`parse` reads. The message is not among them.
    FIELDS = (
        "state", "digest", "priority", "project", "request", "dry_run", "attempts",
        "max_attempts", "fence", "phase", "frames_done", "frames_total", "created_us",
        "started_us", "finished_us", "heartbeat_at", "expired_at", "replays",
        "track", "traceparent", "error", "warnings", "artifacts", "plan",
    )  # fmt: skip

    #: The same without the plan, which is long: for lists.
    LIST_FIELDS = FIELDS[:-1]

    @property
    def attempt(self) -> int:
        """Number of the current or last attempt, 0 before the first."""
        return self.attempts + (1 if self.state == "active" else 0)

    @classmethod
    def parse(cls, job_id: str, values: Sequence[bytes | None]) -> Record | None:
        """Parse the values of :attr:`FIELDS`; return None if the job does not exist."""
        raw = dict(zip(cls.FIELDS, values, strict=True))
        if raw["state"] is None:
            return None

        def text(name: str) -> str:
            value = raw[name]
            return value.decode() if value is not None else ""

        def seconds(name: str) -> float | None:
            if raw[name] is None:
                return None
            return int(text(name)) / (1_000_000 if name.endswith("_us") else 1000)

        def document(name: str) -> Any:
            value = raw[name]
            return orjson.loads(value) if value else None

        return cls(
            job_id=job_id,
            state=cast("State", text("state")),
            digest=text("digest"),
            priority=cast("Priority", text("priority")),
            project=text("project"),
            request=text("request"),
            dry_run=text("dry_run") == "1",
            attempts=int(text("attempts")),
            max_attempts=int(text("max_attempts")),
            fence=int(text("fence")),
            progress=Progress(
                phase=text("phase"),
                frames_done=int(text("frames_done") or 0),
                frames_total=int(text("frames_total") or 0),
            ),
            created_at=seconds("created_us") or 0.0,
            started_at=seconds("started_us"),
            finished_at=seconds("finished_us"),
            heartbeat_at=seconds("heartbeat_at"),
            expired_at=seconds("expired_at"),
            replays=int(text("replays") or 0),
            track=text("track"),
            traceparent=text("traceparent"),
            error=document("error"),
            warnings=tuple(document("warnings") or ()),
            artifacts=tuple(document("artifacts") or ()),
            plan=document("plan"),
        )


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Selects dead letters, by default all.

    Attributes:
        code: Only dead letters with this error code.
        project: Only dead letters of this project.
        failed_from: Only dead letters that failed at this time (seconds since 1970) or later.
        failed_until: Only dead letters that failed before this time.
    """

    code: str | None = None
    project: str | None = None
    failed_from: float | None = None
    failed_until: float | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """Retention periods of ended jobs, in seconds.

    Attributes:
        result_seconds: For the files of completed jobs.
        record_seconds: For the records of completed and cancelled jobs.
        dead_letter_seconds: For dead letters.
        dead_letters: Most dead letters. Beyond that, the oldest are deleted first.
    """

    result_seconds: float
    record_seconds: float
    dead_letter_seconds: float
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Swept:
    """Result of one batch of a sweep.

    Attributes:
        expired: Jobs whose files must be deleted now. They are no longer served.
        forgotten: Number of deleted records.
        dropped: Deleted dead letters, because of their age or number.
        more: Whether another batch is needed.
    """

    expired: tuple[str, ...]
    forgotten: int
    dropped: tuple[str, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Worker:
    """A consumer that recorded its presence recently."""

    worker_id: str
    slots: int
    busy: int
    track: str
    resting: int = 0


@dataclass(frozen=True, slots=True)
class QueueStats:
    """Statistics of a queue at one moment."""

    waiting: int
    active: int
    delayed: int
    completed: int
    failed: int
    cancelled: int
    by_priority: Mapping[str, int]
    oldest_waiting_seconds: float
    workers: tuple[Worker, ...] = field(default=())

    @property
    def depth(self) -> int:
        """Number of live jobs, which ``PREVIEW_QUEUE_MAX`` limits."""
        return self.waiting + self.active + self.delayed

    @property
    def total(self) -> int:
        """Number of all jobs on record."""
        return self.depth + self.completed + self.failed + self.cancelled
