"""Dramatiq's master is killed at many moments of its boot: nothing that it has started stays."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.payloads import long_payload
from tests.support.processes import members_of, renders_below, send_all, worker

#: At so many moments; ``BOOT_MOMENTS=30 make test ARGS=tests/actors/test_orphans.py`` tries more.
MOMENTS = int(os.environ.get("BOOT_MOMENTS", "8"))
#: A worker gives its job back at once.
NO_GRACE = {"PREVIEW_SHUTDOWN_GRACE_SECONDS": "0"}


@pytest.fixture
def masters() -> Iterator[list[int]]:
    """Process ids of masters, which lead sessions; whatever is left of these is killed."""
    started: list[int] = []
    yield started
    for master in started:
        send_all(members_of(master), signal.SIGKILL)


def test_nothing_outlives_a_master_that_is_killed_as_it_boots(
    settings: Settings, preview: PreviewClient, tmp_path: Path, masters: list[int]
) -> None:
    log, began = tmp_path / "whole.log", time.monotonic()
    with worker(settings, log, more=NO_GRACE):
        wait_until(lambda: "probes.listening" in log.read_text(), "a whole boot", seconds=60)
        whole = time.monotonic() - began
    preview.submit(long_payload("job-1"))
    for moment in range(1, MOMENTS + 1):
        log = tmp_path / f"{moment}.log"
        with worker(settings, log, more=NO_GRACE) as process:
            masters.append(process.pid)
            time.sleep(whole * moment / MOMENTS)
            process.kill()
    wait_until(lambda: not any(map(members_of, masters)), "all that they had started ends")
    record = preview.status("job-1")
    assert (record.state, record.attempts) == ("queued", 0), "whoever took it gave it back"
    assert not preview.queue().workers


def test_a_worker_whose_master_is_killed_gives_its_job_back(
    settings: Settings, preview: PreviewClient, log: Path, masters: list[int]
) -> None:
    preview.submit(long_payload("job-1"))
    with worker(settings, log, more=NO_GRACE) as process:
        masters.append(process.pid)
        wait_until(lambda: renders_below(process.pid), "it renders", seconds=60)
        process.kill()
    wait_until(lambda: not members_of(process.pid), "its worker and its probes end")
    assert (preview.status("job-1").state, preview.status("job-1").attempts) == ("queued", 0)
