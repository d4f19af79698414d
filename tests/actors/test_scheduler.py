"""``periodiq app.actors`` as it stands, and the tick that it sends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import dramatiq
import pendulum
import pytest
from dramatiq import Worker

from app.actors.assembly import WorkerParts, build_worker
from app.ledger import Ledger
from app.metrics import Metrics
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.processes import ROOT, environment


@pytest.fixture
def parts(settings: Settings) -> WorkerParts:
    return build_worker(settings, Metrics(track="stable"))


def cron_queue(parts: WorkerParts) -> Ledger:
    return parts.broker.queues[parts.settings.preview_queue_name + ".cron"]


def test_a_tick_is_recorded_and_its_job_forgotten(parts: WorkerParts) -> None:
    worker = Worker(parts.broker, worker_threads=2, worker_timeout=200)
    worker.start()
    try:
        parts.broker.actors["scheduler_tick"].send()
        wait_until(lambda: parts.ledger.last_tick("scheduler"), "the tick is recorded")
        wait_until(lambda: cron_queue(parts).stats().total == 0, "its job is forgotten")
    finally:
        worker.stop()
    assert parts.ledger.stats().total == 0, "cron tasks are no preview jobs"


def test_a_tick_that_is_too_old_is_dropped(parts: WorkerParts) -> None:
    worker = Worker(parts.broker, worker_threads=2, worker_timeout=200)
    old = str(pendulum.now().subtract(hours=1))
    parts.broker.actors["scheduler_tick"].send_with_options(scheduled_at=old)
    worker.start()
    try:
        wait_until(lambda: cron_queue(parts).stats().total == 0, "its job is gone")
    finally:
        worker.stop()
    assert parts.ledger.last_tick("scheduler") is None


def test_a_second_tick_within_the_minute_changes_nothing(parts: WorkerParts) -> None:
    tick: dramatiq.Actor[[], None] = parts.broker.actors["scheduler_tick"]
    tick.fn()
    first = parts.ledger.last_tick("scheduler")
    tick.fn()
    assert parts.ledger.last_tick("scheduler") == first


def test_periodiq_schedules_the_tick_and_ends_at_sigterm(
    settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "scheduler.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "import periodiq; periodiq.entrypoint()", "app.actors"],
            cwd=ROOT,
            env=environment(settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "scheduler_tick" in log.read_text(), "the tick is registered")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
    assert "Traceback" not in log.read_text()
