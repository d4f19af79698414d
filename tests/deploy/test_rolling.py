"""A rolling deploy, rehearsed with plain processes: old and new worker on one queue under load."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from app.client import PreviewClient
from app.settings import Settings
from app.storage import ArtifactStore
from tests.conftest import wait_until
from tests.faults.history import LOGGED, read_history
from tests.faults.oracle import broken_results, violations
from tests.support.payloads import payload, second_payload
from tests.support.processes import STOP_SECONDS, worker
from tests.support.redis_servers import RedisServer

QUEUE_MAX = 1000
#: Pause between two submissions: a pace, not a wait.
PACE_SECONDS = 0.04


@dataclass
class Load:
    """A client that keeps submitting: dry runs, and now and then a render.

    Attributes:
        accepted: Every job that was taken on.
    """

    preview: PreviewClient
    accepted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._submit)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Submit no more."""
        self._ended.set()
        self._thread.join()

    def _submit(self) -> None:
        while not self._ended.wait(PACE_SECONDS):
            number = len(self.accepted)
            job_id = f"job-{number}"
            self.preview.submit(payload(job_id, dryRun=number % 60 > 0))
            self.accepted.append(job_id)

    def more(self, jobs: int) -> None:
        """Wait until so many more have been accepted."""
        until = len(self.accepted) + jobs
        wait_until(lambda: len(self.accepted) >= until, f"{jobs} more jobs are accepted")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis", *LOGGED) as server:
        yield server


def completed(log: Path) -> Counter[str]:
    """How often a worker's log tells that it has completed a job."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"attempt.ended"' in line]
    assert all(line["track"] == "stable" for line in lines)
    return Counter(line["jobId"] for line in lines if line["outcome"] == "completed")


def test_not_one_job_is_lost_or_doubled_while_the_workers_are_replaced(
    server: RedisServer, tmp_path: Path
) -> None:
    settings = Settings(
        redis_url=server.url,
        app_env="test",
        data_dir=tmp_path,
        preview_queue_name="rolling",
        preview_queue_max=QUEUE_MAX,
        health_host="127.0.0.1",
        health_port=0,
    )
    preview = PreviewClient.from_settings(settings)
    old_log, new_log = tmp_path / "old.log", tmp_path / "new.log"
    with worker(settings, old_log) as old, Load(preview) as load:
        load.more(20)
        # maxSurge 1, maxUnavailable 0: the new one is ready before the old one is told to go.
        with worker(settings, new_log) as new:
            wait_until(lambda: len(preview.queue().workers) == 2, "both are at work")
            films = fill_all_slots(preview)
            began = time.monotonic()
            old.send_signal(signal.SIGTERM)  # to the master alone, as to a container's PID 1
            load.more(50)
            assert old.wait(STOP_SECONDS) == 0
            assert time.monotonic() - began < settings.preview_shutdown_grace_seconds + 15
            load.more(20)
            load.stop()
            wait_until(lambda: preview.queue().depth == 0, "nothing is left")
    assert new.returncode == 0
    jobs = [*films, *load.accepted]
    by_old, by_new = completed(old_log), completed(new_log)
    assert set(by_old + by_new) == set(jobs)
    assert max((by_old + by_new).values()) == 1, "no job was done twice"
    assert len(set(films) & set(by_old)) == 2, "the old one has finished what it had begun"
    assert load.accepted[-1] in by_new
    records = [preview.status(job_id) for job_id in jobs]
    assert {(record.state, record.attempts) for record in records} == {("completed", 1)}
    history = read_history(server.directory, settings.preview_queue_name)
    broken = violations(history, accepted=jobs, ledger=preview.ledger, queue_max=QUEUE_MAX)
    assert list(broken) == []
    assert list(broken_results(records, ArtifactStore(settings.artifact_url))) == []


def fill_all_slots(preview: PreviewClient) -> list[str]:
    """Have two workers of two slots render, and return what."""
    films = [f"film-{number}" for number in range(4)]
    for job_id in films:
        preview.submit(second_payload(job_id) | {"priority": "high"})
    wait_until(
        lambda: all(preview.status(job_id).state == "active" for job_id in films),
        "both render two films",
    )
    return films
