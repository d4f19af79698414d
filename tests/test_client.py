from __future__ import annotations

import doctest
import enum
import inspect
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.documents import rfc3339, status_document
from app.errors import BrokerUnavailable, JobConflict, JobNotFound, QueueFull, ValidationFailed
from app.ledger import Ledger, Progress
from app.metrics import Metrics
from app.settings import Settings
from tests.support.payloads import payload


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(track="stable")


@pytest.fixture
def preview(settings: Settings, metrics: Metrics) -> PreviewClient:
    return PreviewClient.from_settings(settings, metrics=metrics)


def count(metric: object) -> float:
    return float(metric._value.get())  # type: ignore[attr-defined] # a child of prometheus_client


def test_a_submission_is_queued_once_and_counted(preview: PreviewClient, metrics: Metrics) -> None:
    assert not preview.submit(payload("a")).replayed
    assert preview.submit(payload("a", requestId="again")).replayed
    assert preview.queue().waiting == 1
    assert (count(metrics.accepted), count(metrics.duplicate)) == (1, 1)


def test_another_payload_under_the_same_id_is_a_conflict(preview: PreviewClient) -> None:
    preview.submit(payload("a"))
    with pytest.raises(JobConflict, match="'a'"):
        preview.submit(payload("a", projectId="other"))


def test_an_invalid_payload_is_refused_and_counted(
    preview: PreviewClient, metrics: Metrics
) -> None:
    with pytest.raises(ValidationFailed):
        preview.submit({"jobId": "a"})
    assert count(metrics.invalid) == 1
    assert preview.queue().total == 0


def test_a_full_queue_says_its_maximum_and_when_to_come_back(settings: Settings) -> None:
    small = settings.model_copy(update={"preview_queue_max": 1})
    preview = PreviewClient.from_settings(small)
    preview.submit(payload("a"))
    with pytest.raises(QueueFull, match="1 live") as caught:
        preview.submit(payload("b"))
    assert caught.value.retry_after_seconds == 5


def test_a_cancelled_job_is_counted_once(preview: PreviewClient, metrics: Metrics) -> None:
    preview.submit(payload("a"))
    assert preview.cancel("a").state == "cancelled"
    assert preview.cancel("a").state == "cancelled"
    assert count(metrics.cancelled) == 1


def test_an_ended_or_unknown_job_cannot_be_cancelled(
    preview: PreviewClient, ledger: Ledger
) -> None:
    preview.submit(payload("a"))
    job, _ = ledger.claim("w", token="t", free=True, info={})
    assert job is not None
    ledger.settle("a", job.fence, "completed")
    with pytest.raises(JobConflict, match="already completed"):
        preview.cancel("a")
    with pytest.raises(JobNotFound, match="'nobody'"):
        preview.cancel("nobody")


def test_watching_yields_each_change_until_the_end(preview: PreviewClient, ledger: Ledger) -> None:
    preview.submit(payload("a"))
    states = []
    for record in preview.watch("a", timeout_seconds=20, poll_seconds=0.01):
        states.append(record.state)
        if record.state == "queued":
            job, _ = ledger.claim("w", token="t", free=True, info={})
            assert job is not None
            ledger.beat("a", job.fence, Progress("rendering", 1, 4))
        else:
            ledger.settle("a", record.fence, "completed")
    assert states == ["queued", "active", "completed"]


def test_waiting_ends_at_its_deadline(preview: PreviewClient) -> None:
    preview.submit(payload("a"))
    with pytest.raises(TimeoutError, match="still queued"):
        preview.wait("a", timeout_seconds=0.05)


def test_a_running_jobs_status_tells_progress_attempt_and_phase(
    preview: PreviewClient, ledger: Ledger
) -> None:
    preview.submit(payload("a"))
    job, _ = ledger.claim("w", token="t", free=True, info={})
    assert job is not None
    ledger.beat("a", job.fence, Progress("rendering", 30, 120))
    document = status_document(preview.status("a"))
    assert document["progress"] == {"percent": 25.0, "framesDone": 30, "framesTotal": 120}
    assert (document["status"], document["phase"]) == ("active", "rendering")
    assert (document["attempt"], document["maxAttempts"]) == (1, 5)
    assert document["startedAt"].endswith("Z")
    assert document["finishedAt"] is None
    assert "plan" not in document


def test_everything_says_when_redis_is_away(settings: Settings) -> None:
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    preview = PreviewClient.from_settings(away)
    for call in (lambda: preview.submit(payload()), lambda: preview.status("a"), preview.queue):
        with pytest.raises(BrokerUnavailable):
            call()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1795286487.1619, "2026-11-21T18:41:27.162Z"),
        (1.9996, "1970-01-01T00:00:02.000Z"),
        (None, None),
    ],
)
def test_times_are_rfc_3339_in_utc_with_milliseconds(
    seconds: float | None, text: str | None
) -> None:
    assert rfc3339(seconds) == text


class Name(str):
    __slots__ = ()


class Rate(enum.IntEnum):
    NTSC = 30
    ODD = 31


def test_a_payload_counts_as_the_json_that_it_is_sent_as(
    preview: PreviewClient, ledger: Ledger
) -> None:
    job_id = uuid.uuid4()
    options = {"resolution": Name("1280x720"), "fps": Rate.NTSC}
    made = payload()
    made["jobId"] = job_id
    made["previewRequest"]["options"] = options
    assert preview.submit(made).job_id == str(job_id)
    record = ledger.get(str(job_id))
    assert record is not None
    plain = {**made, "jobId": str(job_id)}
    plain["previewRequest"] = {
        **made["previewRequest"],
        "options": {"resolution": "1280x720", "fps": 30},
    }
    assert preview.submit(plain).replayed


def test_a_bad_value_of_a_subclass_is_named_by_its_pointer(preview: PreviewClient) -> None:
    made = payload()
    made["previewRequest"]["options"] = {"fps": Rate.ODD}
    with pytest.raises(ValidationFailed) as caught:
        preview.submit(made)
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == ("/previewRequest/options/fps", "not-allowed")


def methods() -> list[str]:
    """Return the names of the client's public methods."""
    return [name for name, _ in inspect.getmembers(PreviewClient, callable) if name[0] != "_"]


@pytest.mark.parametrize("name", methods())
def test_the_examples_of_each_method_run(
    name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("redis_url", "app_env", "data_dir", "preview_queue_name"):
        monkeypatch.setenv(variable.upper(), str(getattr(settings, variable)))
    parser = doctest.DocTestParser()
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.REPORT_NDIFF)
    names: dict[str, object] = {}
    for documented in (PreviewClient, getattr(PreviewClient, name)):
        examples = parser.get_doctest(inspect.getdoc(documented) or "", names, name, None, None)
        assert examples.examples, f"{documented.__qualname__} has no example"
        told: list[str] = []
        failed, _ = runner.run(examples, out=told.append, clear_globs=False)
        names = examples.globs
        assert not failed, "".join(told)


def test_the_fixtures_for_tests_of_applications_work_as_the_page_shows(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    page = (root / "docs" / "python-client.md").read_text()
    files = re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for name, code in files:
        (tmp_path / name).write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", str(tmp_path)]
    run = subprocess.run(
        [*command, "--rootdir", str(tmp_path), "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in run.stdout, run.stdout + run.stderr
