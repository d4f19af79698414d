"""Supervises attempts that work in a child process: limits, deadline, cancellation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.actors.heartbeat import Heartbeat
from app.actors.work import work_directory
from app.broker import ClaimedMessage, Verdict
from app.ledger import Progress as LedgerProgress
from app.logs import get_logger
from app.middleware import Shutdown
from app.render import Limits, Progress, RenderStopped
from app.settings import Settings

log = get_logger(__name__)

#: Longest time to store the files of an attempt. After that it loses its lease.
PUBLISH_SECONDS = 300.0
#: Shortest deadline of a child process, if fetching has used up nearly all of the job's time.
LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A running attempt, with its work directory, deadline and heartbeat."""

    job: ClaimedMessage
    directory: Path
    heartbeat: Heartbeat
    until: float
    shutdown: Shutdown

    @property
    def stop_reason(self) -> str | None:
        """Why the attempt must end: ``shutdown``, ``cancelled`` or ``lease-lost``, else None."""
        return "shutdown" if self.shutdown.expired() else self.heartbeat.stop_reason

    def on_tick(self, progress: Progress | None) -> str | None:
        """Report progress to the ledger and the trace; return why the attempt must end, if so."""
        if progress is not None:
            self.job.span.phase(progress.phase)
            self.heartbeat.progress = LedgerProgress(
                progress.phase, progress.frames_done, progress.frames_total
            )
        return self.stop_reason


@dataclass(frozen=True, slots=True)
class Supervision:
    """Runs attempts, each with a heartbeat, a deadline and a work directory.

    Attributes:
        settings: Limits and directories.
        shutdown: Says when attempts must be given up.
    """

    settings: Settings
    shutdown: Shutdown

    @contextmanager
    def attempt(self, job: ClaimedMessage) -> Iterator[Attempt]:
        """Run the body as an attempt of ``job``. If it is stopped, set the verdict of ``job``.

        Raises:
            StorageUnavailable: The work directory cannot be created.
        """
        seconds = self.settings.preview_job_timeout_seconds
        until = time.monotonic() + seconds
        try:
            with (
                Heartbeat(job, max_seconds=seconds + PUBLISH_SECONDS) as heartbeat,
                work_directory(self.settings.work_root, name=str(job.fence)) as directory,
            ):
                yield Attempt(job, directory, heartbeat, until, self.shutdown)
        except RenderStopped as stopped:
            if stopped.reason == "lease-lost":
                log.warning("render.lease-lost")
            job.verdict = Verdict("cancelled" if stopped.reason == "cancelled" else "released")

    def limits(self, attempt: Attempt) -> Limits:
        """Return the limits of a child process that starts now."""
        return Limits(
            deadline_seconds=max(attempt.until - time.monotonic(), LEAST_SECONDS),
            memory_mb=self.settings.preview_render_memory_mb,
            threads=self.settings.preview_render_threads,
        )
