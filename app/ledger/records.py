"""What the ledger tells about a job, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

import orjson

from app.ledger.keys import Priority, State

#: What an attempt may come to; ``released`` gives the job back at no cost.
Fate = Literal["completed", "delayed", "failed", "cancelled", "released"]

#: What a cancellation came to: ended now, ended before, asked of a running job, too late.
Cancellation = Literal["cancelled", "already", "requested", "ended", "missing"]

#: What a replay of one job came to: queued again, no such job, not a dead letter (it lives, or
#: has ended otherwise), no room in the queue, its message is lost.
Replay = Literal["replayed", "missing", "live", "ended", "full", "lost"]

#: What a purge of one job came to.
Purge = Literal["purged", "missing", "live", "ended"]

#: What became of a job whose worker fell silent, or that no list held.
Recovery = Literal["queued", "cancelled", "failed", "relisted"]


@dataclass(frozen=True, slots=True)
class Admission:
    """A job that asks to be recorded. ``message`` is the encoded Dramatiq message."""

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
    """A job handed to a consumer, for the length of a lease.

    Attributes:
        job_id: The job.
        fence: What its holder must present from now on.
        message: The encoded message.
        attempt: Number of the attempt that begins, from 1.
        max_attempts: Attempts the job is given.
        waited_seconds: From the moment the job became claimable.
    """

    job_id: str
    fence: int
    message: bytes
    attempt: int
    max_attempts: int
    waited_seconds: float


class Recovered(NamedTuple):
    """A job that passed through no worker's hands, and what became of it.

    ``lost_track`` is that of the worker that fell silent with it, "" where none did.
    """

    job_id: str
    outcome: Recovery
    lost_track: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is."""

    phase: str
    frames_done: int = 0
    frames_total: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A job as the ledger holds it. Times are seconds since 1970, None where not yet.

    ``track`` is that of the worker that claimed it last; before, of the service that took it on.
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

    #: Hash fields that :meth:`parse` reads; the message itself stays in Redis.
    FIELDS = (
        "state", "digest", "priority", "project", "request", "dry_run", "attempts",
        "max_attempts", "fence", "phase", "frames_done", "frames_total", "created_us",
        "started_us", "finished_us", "heartbeat_at", "expired_at", "replays",
        "track", "traceparent", "error", "warnings", "artifacts", "plan",
    )  # fmt: skip

    @property
    def attempt(self) -> int:
        """Number of the attempt that runs, or of the last one; 0 before the first."""
        return self.attempts + (1 if self.state == "active" else 0)

    @classmethod
    def parse(cls, job_id: str, values: list[bytes | None]) -> Record | None:
        """Read the values of :attr:`FIELDS`; None when there is no such job."""
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
    """Which dead letters are meant; all of them unless said otherwise.

    Attributes:
        code: Only those whose error has this code.
        project: Only those of this project.
        failed_from: Only those that failed at this time (seconds since 1970) or later.
        failed_until: Only those that failed before this time.
    """

    code: str | None = None
    project: str | None = None
    failed_from: float | None = None
    failed_until: float | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long ended jobs are kept, in seconds.

    Attributes:
        result_seconds: The files of completed jobs.
        record_seconds: The records of completed and cancelled jobs.
        dead_letter_seconds: Dead letters.
        dead_letters: Most dead letters; beyond, the oldest go first.
    """

    result_seconds: float
    record_seconds: float
    dead_letter_seconds: float
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What one batch of a sweep has found.

    Attributes:
        expired: Jobs whose files are to be deleted now; nobody is given them any more.
        forgotten: Number of records removed.
        dropped: Dead letters removed, too old or too many.
        more: Whether another batch would find more.
    """

    expired: tuple[str, ...]
    forgotten: int
    dropped: tuple[str, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Worker:
    """A consumer that showed itself lately."""

    worker_id: str
    slots: int
    busy: int
    track: str


@dataclass(frozen=True, slots=True)
class QueueStats:
    """A queue at one moment. ``total`` is the sum of all jobs that are kept."""

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
        """Live jobs, which ``PREVIEW_QUEUE_MAX`` bounds."""
        return self.waiting + self.active + self.delayed

    @property
    def total(self) -> int:
        """All jobs that are kept."""
        return self.depth + self.completed + self.failed + self.cancelled
