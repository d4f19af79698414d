"""A disk without room: the attempt fails by its code, nothing half-written is in view."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.payloads import payload
from tests.support.processes import worker


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, for which one must be root on Linux."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(directory)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system cannot be mounted here")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def test_a_full_disk_fails_the_job_by_its_code_and_leaves_nothing_behind(
    settings: Settings, small_disk: Path, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"data_dir": small_disk, "preview_max_attempts": 2})
    preview = PreviewClient.from_settings(own)
    steps = [{"id": f"s{n}", "text": f"Step {n} of a game.", "durationSec": 1} for n in range(9)]
    request = {
        **payload()["previewRequest"],
        "steps": steps,
        "options": {"resolution": "1280x720", "fps": 24},
    }
    log = tmp_path / "worker.log"
    with worker(own, log, more={"PREVIEW_RETRY_BASE_SECONDS": "0.1"}):
        preview.submit(payload("job-1", previewRequest=request))
        record = preview.wait("job-1", timeout_seconds=90)
        wait_until(lambda: not list((small_disk / "work").iterdir()), "the work is removed")
    assert (record.state, record.attempts) == ("failed", 2), log.read_text()
    assert record.error is not None
    assert (record.error["code"], record.error["retryable"]) == ("storage-unavailable", True)
    assert record.artifacts == ()
    left = [path for path in (small_disk / "artifacts").rglob("*") if path.is_file()]
    assert left == []
