"""The metrics that processes count themselves; gauges come from Redis (``probes.py``).

Several processes of one service share a directory (``PROMETHEUS_MULTIPROC_DIR``,
one per boot): each writes its own files, a scrape adds them up, and what a
killed process had counted stays counted.
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

#: Buckets of the owner, in seconds.
DURATION_BUCKETS: Final = (1, 2.5, 5, 10, 15, 20, 30, 45, 60, 75, 90, 120)
#: An idle worker picks up within milliseconds, a full queue within minutes.
WAIT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900)
#: Which version a worker is; each queue has workers of one or two of them.
TRACKS: Final = ("stable", "canary", "staging")
#: What an attempt may come to, as counted by ``preview_job_attempts_total``.
OUTCOMES: Final = ("completed", "delayed", "failed", "cancelled", "released", "stale", "dry-run")

_MULTIPROC_DIR: Final = "PROMETHEUS_MULTIPROC_DIR"


def share_between_processes(directory: Path) -> None:
    """Make metrics created from now on, here and in children, shared files in ``directory``.

    prometheus_client decides at its import, which may have been earlier.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[_MULTIPROC_DIR] = str(directory)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]  # upstream


class Metrics:
    """Counters and histograms of one process. Every series carries ``track``.

    Args:
        track: ``stable``, ``canary`` or ``staging``.
    """

    def __init__(self, *, track: str) -> None:
        self.track = track
        disable_created_metrics()  # type: ignore[no-untyped-call]  # upstream; no use to anyone here
        self._own = CollectorRegistry()

        def counter(name: str, text: str) -> Counter:
            family = Counter(f"preview_jobs_{name}", text, ["track"], registry=self._own)
            return family.labels(track)  # born at 0: increase() sees the first event

        self.accepted = counter("accepted", "Jobs admitted to the queue")
        self.started = counter("started", "Attempts that began")
        self.completed = counter("completed", "Jobs that ended well, dry runs included")
        self.failed = counter("failed", "Jobs that became dead letters")
        self.retried = counter("retried", "Attempts that ended in a retry")
        self.refused = counter("refused", "Jobs that failed for what their author had sent")
        self.invalid = counter("invalid", "Payloads that break the contract")
        self.duplicate = counter("duplicate", "Submissions or messages of a job that exists")
        self.cancelled = counter("cancelled", "Jobs cancelled")
        self.replayed = counter("replayed", "Dead letters queued again")
        self.swept = counter("swept", "Results whose files were deleted after their time")
        self.dryrun = counter("dryrun", "Dry runs completed without rendering")
        lost = Counter(
            "preview_job_attempts_lost",
            "Attempts whose worker died, by its track",
            ["track"],
            registry=self._own,
        )
        self._lost = {name: lost.labels(name) for name in TRACKS}
        self.cache_hits = Counter(
            "preview_step_cache_hits",
            "Steps that were found encoded",
            ["track"],
            registry=self._own,
        ).labels(track)
        self.cache_misses = Counter(
            "preview_step_cache_misses",
            "Steps that had to be encoded, with a cache in use",
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
            "Time an attempt took",
            ["track"],
            buckets=DURATION_BUCKETS,
            registry=self._own,
        ).labels(track)
        self.wait = Histogram(
            "preview_job_wait_seconds",
            "Time from claimable to claimed",
            ["track"],
            buckets=WAIT_BUCKETS,
            registry=self._own,
        ).labels(track)

    def ended_outside(self, outcome: str, *, lost_track: str) -> None:
        """Count what became of a job that no middleware has seen: its worker died, or it is poison.

        Args:
            outcome: ``failed``, ``cancelled``, or that it is queued again.
            lost_track: Track of the worker that fell silent with it, "" where none did. The dead
                cannot count, so whoever finds them does.
        """
        if lost_track in self._lost:
            self._lost[lost_track].inc()
        if outcome == "failed":
            self.failed.inc()
        elif outcome == "cancelled":
            self.cancelled.inc()

    def attempt(self, outcome: str) -> None:
        """Count an attempt that ended as one of :data:`OUTCOMES`."""
        self._attempts[outcome].inc()


def registry_of(metrics: Metrics) -> CollectorRegistry:
    """Return what a scrape of this service shows: all its processes, or this one alone."""
    if _MULTIPROC_DIR not in os.environ:
        return metrics._own  # noqa: SLF001 - same module
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped upstream
    return registry
