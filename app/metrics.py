"""Counters and histograms of a process; ``probes.py`` has the gauges, which come from Redis.

The processes of a service share a directory (``PROMETHEUS_MULTIPROC_DIR``, one per boot). Each
process writes files of its own and a scrape adds them up, so the counts of a killed process are
kept.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

#: Buckets of ``preview_job_duration_seconds``, in seconds.
DURATION_BUCKETS: Final = (1, 2.5, 5, 10, 15, 20, 30, 45, 60, 75, 90, 120)
#: Buckets of ``preview_job_wait_seconds``: from milliseconds (idle worker) to minutes (long queue).
WAIT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900)
#: Release tracks of workers. The workers of a queue are on one or two of them.
TRACKS: Final = ("stable", "canary", "staging")
#: Values of the label ``outcome`` of ``preview_job_attempts_total``.
OUTCOMES: Final = ("completed", "delayed", "failed", "cancelled", "released", "stale", "dry-run")
#: Values of the label ``outcome`` of ``preview_stills_total``.
STILL_OUTCOMES: Final = ("drawn", "refused", "failed", "no-worker", "queue-full", "render-timeout")
#: Buckets of ``preview_still_duration_seconds``, in seconds: from an idle worker to a long wait.
STILL_BUCKETS: Final = (0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 1, 2.5, 5, 10, 20)

_MULTIPROC_DIR: Final = "PROMETHEUS_MULTIPROC_DIR"


def share_between_processes(directory: Path) -> None:
    """Store metrics created from now on, here and in child processes, in ``directory``.

    prometheus_client reads the environment when it is imported, which may have happened before.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[_MULTIPROC_DIR] = str(directory)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]  # upstream


class Metrics:
    """Counters and histograms of one process. Every series has the label ``track``.

    Args:
        track: ``stable``, ``canary`` or ``staging``.
    """

    def __init__(self, *, track: str) -> None:
        self.track = track
        disable_created_metrics()  # type: ignore[no-untyped-call]  # upstream; no use to anyone here
        self._own = CollectorRegistry()

        def counter(name: str, text: str) -> Counter:
            family = Counter(f"preview_jobs_{name}", text, ["track"], registry=self._own)
            return family.labels(track)  # starts at 0, so that increase() sees the first event

        self.accepted = counter("accepted", "Jobs admitted to the queue")
        self.started = counter("started", "Attempts that began")
        self.completed = counter("completed", "Jobs that completed, dry runs included")
        self.failed = counter("failed", "Jobs that became dead letters")
        self.retried = counter("retried", "Attempts that ended in a retry")
        self.refused = counter("refused", "Jobs that failed because of their payload or assets")
        self.invalid = counter("invalid", "Payloads that are not valid")
        self.duplicate = counter("duplicate", "Submissions or messages of an existing job")
        self.cancelled = counter("cancelled", "Jobs that were cancelled")
        self.replayed = counter("replayed", "Dead letters that were queued again")
        self.swept = counter("swept", "Results whose files were deleted after their retention")
        self.dryrun = counter("dryrun", "Dry runs completed without rendering")
        lost = Counter(
            "preview_job_attempts_lost",
            "Attempts whose worker died, by the worker's track",
            ["track"],
            registry=self._own,
        )
        self._lost = {name: lost.labels(name) for name in TRACKS}
        self.cache_hits = Counter(
            "preview_step_cache_hits",
            "Steps taken from the step cache",
            ["track"],
            registry=self._own,
        ).labels(track)
        self.cache_misses = Counter(
            "preview_step_cache_misses",
            "Steps that were not in the step cache",
            ["track"],
            registry=self._own,
        ).labels(track)
        attempts = Counter(
            "preview_job_attempts",
            "Attempts that ended, by outcome",
            ["outcome", "track"],
            registry=self._own,
        )
        self._attempts = {outcome: attempts.labels(outcome, track) for outcome in OUTCOMES}
        self.duration = Histogram(
            "preview_job_duration_seconds",
            "Duration of an attempt",
            ["track"],
            buckets=DURATION_BUCKETS,
            registry=self._own,
        ).labels(track)
        self.wait = Histogram(
            "preview_job_wait_seconds",
            "Time from when a job could be claimed to its claim",
            ["track"],
            buckets=WAIT_BUCKETS,
            registry=self._own,
        ).labels(track)

        stills = Counter(
            "preview_stills",
            "Requests for stills, by outcome",
            ["outcome", "track"],
            registry=self._own,
        )
        self._stills = {outcome: stills.labels(outcome, track) for outcome in STILL_OUTCOMES}
        self.still_duration = Histogram(
            "preview_still_duration_seconds",
            "Time from the request for a still to its picture",
            ["track"],
            buckets=STILL_BUCKETS,
            registry=self._own,
        ).labels(track)

    def ended_outside(self, outcome: str, *, lost_track: str) -> None:
        """Count a job that reached no middleware: its worker died, or its message is unreadable.

        Args:
            outcome: ``failed``, ``cancelled``, or any other outcome of a recovery.
            lost_track: Track of the worker that died, "" if none did. A dead worker cannot count,
                so the process that finds it does.
        """
        if lost_track in self._lost:
            self._lost[lost_track].inc()
        if outcome == "failed":
            self.failed.inc()
        elif outcome == "cancelled":
            self.cancelled.inc()

    def attempt(self, outcome: str) -> None:
        """Count the end of an attempt by its outcome, one of :data:`OUTCOMES`."""
        self._attempts[outcome].inc()

    def still(self, outcome: str) -> None:
        """Count a request for a still by its outcome, one of :data:`STILL_OUTCOMES`."""
        self._stills[outcome].inc()


def registry_of(metrics: Metrics) -> CollectorRegistry:
    """Return the registry of a scrape: of all processes of the service, or of this one alone."""
    if _MULTIPROC_DIR not in os.environ:
        return metrics._own  # noqa: SLF001 - same module
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped upstream
    return registry
