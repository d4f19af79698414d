"""A worker service that is killed leaves files; the next one removes them as it starts."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.settings import Settings
from app.temporary import PREFIX
from tests.conftest import wait_until
from tests.support.payloads import long_payload
from tests.support.probes import Probes
from tests.support.processes import children_of, renders_below, send_all, session_of, worker


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A TMPDIR with a short path: sockets allow no long ones."""
    directory = Path(tempfile.mkdtemp(prefix="pv"))
    yield directory
    shutil.rmtree(directory)


def kill(process: subprocess.Popen[bytes]) -> None:
    family = children_of(process.pid)
    own = {pid for pid in family if session_of(pid) == process.pid}
    for number in (signal.SIGSTOP, signal.SIGKILL):
        send_all((process.pid, *own), number)
    process.wait(30)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), "all have ended")


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.glob("*")}


def test_a_worker_that_is_killed_and_started_again_at_once_leaves_nothing(
    settings: Settings, preview: PreviewClient, log: Path, tmp_path: Path, temporary: Path
) -> None:
    more = {
        "TMPDIR": str(temporary),
        "PREVIEW_STEP_CACHE_MB": "100",
        "PREVIEW_SHUTDOWN_GRACE_SECONDS": "0",
    }
    places = (temporary, settings.work_root, settings.step_cache)

    def left() -> set[str]:
        return set().union(*map(names, places))

    with worker(settings, log, more=more) as process:
        preview.submit(long_payload("job-1"))
        wait_until(lambda: renders_below(process.pid), "it renders", seconds=60)
        wait_until(
            lambda: any(name.startswith(PREFIX) for name in names(settings.step_cache)),
            "a step is half kept",
        )
        kill(process)
    killed = left()
    assert len(killed) >= 4, "the service's directory, its fork server's, the job's, a step"
    assert all(name.startswith(PREFIX) for name in killed), killed
    preview.cancel("job-1")
    again = tmp_path / "again.log"
    with worker(settings, again, more=more):
        wait_until(Probes(again).ready, "the next is ready")
        assert not killed & left()
