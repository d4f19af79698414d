"""``periodiq app.actors`` as it stands, and the tick that it sends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import dramatiq
import pendulum
import pytest
from dramatiq import Worker

from app.actors.assembly import CRON_SUFFIX, WorkerParts, build_worker
from app.errors import BrokerUnavailable
from app.ledger import Ledger, connect
from app.metrics import Metrics
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.processes import ROOT, environment
from tests.support.redis_servers import RedisServer


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


class Scheduler:
    """``periodiq app.actors`` as a process that ticks when the test says so."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "import periodiq; periodiq.entrypoint()", "app.actors"],
                cwd=ROOT,
                env=environment(settings),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def told(self) -> str:
        return self._log.read_text()

    @property
    def missed(self) -> int:
        """How often a tick has not been sent."""
        lines = [line for line in self.told.splitlines() if "scheduler.run-missed" in line]
        return sum('"scheduler_tick"' in line for line in lines)

    def _sleeps(self) -> bool:
        """Return whether it waits for its next minute: it catches the alarm from then on."""
        assert self.process.poll() is None, self.told
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught, 16) & 1 << (signal.SIGALRM - 1))

    def tick(self) -> None:
        """Have it wake up, as its alarm does once a minute."""
        wait_until(self._sleeps, "the scheduler sleeps")
        self.process.send_signal(signal.SIGALRM)

    def misses_a_tick(self) -> None:
        """Have it wake up when no server takes its tick."""
        before = self.missed
        self.tick()
        wait_until(lambda: self.missed > before, "a tick is missed")


def test_periodiq_schedules_the_tick_and_ends_at_sigterm(
    settings: Settings, tmp_path: Path
) -> None:
    with Scheduler(settings, tmp_path / "scheduler.log") as scheduler:
        wait_until(lambda: "scheduler_tick" in scheduler.told, "the tick is registered")
        scheduler.process.send_signal(signal.SIGTERM)
        assert scheduler.process.wait(30) == -signal.SIGTERM
        assert "Traceback" not in scheduler.told


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc whether the scheduler sleeps")
def test_a_scheduler_outlives_a_server_that_is_not_there_goes_away_or_hangs(
    settings: Settings, tmp_path: Path
) -> None:
    server = RedisServer(tmp_path / "redis")
    own = settings.model_copy(update={"redis_url": server.url})
    cron = Ledger(
        connect(own), queue=f"{own.preview_queue_name}{CRON_SUFFIX}", lease_seconds=30, max_starts=3
    )
    with Scheduler(own, tmp_path / "scheduler.log") as scheduler:
        wait_until(lambda: scheduler.missed, "its first tick finds no server")
        with server:
            scheduler.tick()
            wait_until(lambda: cron.stats().waiting, "a tick is sent once there is one")
        scheduler.misses_a_tick()
        with server:
            scheduler.tick()
            wait_until(lambda: cron.stats().waiting, "a tick is sent once it is back")
            waiting = cron.stats().waiting
            server.pause()
            scheduler.misses_a_tick()
            server.resume()
            scheduler.tick()
            wait_until(lambda: cron.stats().waiting > waiting, "a tick is sent once it goes on")
        assert "Traceback" not in scheduler.told


def test_who_sends_a_cron_task_by_hand_hears_of_an_outage(settings: Settings) -> None:
    own = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    parts = build_worker(own, Metrics(track="stable"))
    with pytest.raises(BrokerUnavailable):
        parts.broker.actors["sweep_results"].send()
