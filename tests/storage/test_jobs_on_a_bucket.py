"""Whole jobs whose files are in a bucket: worker, API, sweeper, doctor."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import dramatiq
import httpx
import pytest
from typer.testing import CliRunner

from app.actors.assembly import SWEEP_SUFFIX, build_worker
from app.cli.main import cli
from app.client import PreviewClient
from app.errors import ArtifactExpired
from app.ledger import Ledger
from app.metrics import Metrics
from app.settings import Settings
from app.storage import ArtifactStore, attempt_prefix
from tests.conftest import wait_until
from tests.http.conftest import Api, api_settings, complete, serving
from tests.support.payloads import payload
from tests.support.processes import environment, running, stop, worker
from tests.support.s3_server import S3Server

__all__ = ["api_settings", "complete"]
LIFETIME = 90
TAG = hashlib.sha256(bytes(range(256)) * 3000).hexdigest()


@pytest.fixture
def settings(settings: Settings, url: str) -> Settings:
    """Settings of a queue whose files go into a bucket."""
    return settings.model_copy(update={"storage_url": url})


@pytest.fixture
def api(api_settings: Settings, complete: Callable[[], None]) -> Iterator[Api]:
    """The application with one finished job, which sends its clients to the bucket."""
    changes = {"preview_artifact_url_seconds": LIFETIME}
    with serving(api_settings.model_copy(update=changes)) as api:
        api.submit(payload())
        complete()
        yield api


def test_a_client_is_sent_to_the_bucket_for_the_file(api: Api) -> None:
    result = api.artifact("kind=captions.vtt")
    assert (result.status_code, result.content) == (307, b"")
    assert result.headers["cache-control"] == "no-store"
    assert "etag" not in result.headers
    fetched = httpx.get(result.headers["location"])
    assert fetched.content == b"WEBVTT\n"
    assert fetched.headers["content-type"] == "text/vtt"
    assert fetched.headers["content-disposition"] == 'inline; filename="job-1-captions.vtt"'


def test_a_client_that_asks_for_json_gets_the_signed_url(api: Api) -> None:
    result = api.artifact(headers={"Accept": "application/json"})
    assert result.status_code == 200
    part = httpx.get(result.json["url"], headers={"Range": "bytes=0-2"})
    assert (part.status_code, part.content) == (206, b"\x00\x01\x02")
    left = datetime.fromisoformat(result.json["expiresAt"]).timestamp() - time.time()
    assert 0 < left <= LIFETIME


def test_head_and_downloads_are_answered_by_the_api_itself(api: Api) -> None:
    head = api.simulate_head("/api/preview/job/job-1/artifact")
    assert (head.status_code, head.headers["etag"]) == (200, f'"{TAG}"')
    download = api.artifact("disposition=attachment", headers={"Range": "bytes=1-2"})
    assert (download.status_code, download.content) == (206, b"\x01\x02")
    assert download.headers["content-disposition"].startswith("attachment;")
    same = api.artifact(headers={"If-None-Match": f'"{TAG}"'})
    assert same.status_code == 304


def test_a_file_that_is_gone_sends_nobody_anywhere(api: Api, url: str) -> None:
    assert ArtifactStore(url).delete_prefix("job-1") > 0
    result = api.artifact()
    assert (result.status_code, result.json["code"]) == (410, "artifact-expired")


def test_without_a_lifetime_the_api_sends_the_file(api: Api, api_settings: Settings) -> None:
    with serving(api_settings) as plain:
        result = plain.artifact(headers={"Range": "bytes=-2"})
    assert (result.status_code, result.content) == (206, b"\xfe\xff")
    assert result.headers["etag"] == f'"{TAG}"'


def test_a_rendered_preview_comes_out_of_the_bucket_and_no_log_has_a_secret(
    settings: Settings, tmp_path: Path, reach: S3Server
) -> None:
    log, api_log = tmp_path / "worker.log", tmp_path / "api.log"
    preview = PreviewClient.from_settings(settings)
    changes = {"preview_api_port": 0, "preview_artifact_url_seconds": LIFETIME}
    env = environment(settings.model_copy(update=changes), WEB_CONCURRENCY="1")
    with (
        reach.checking_signatures(),
        worker(settings, log) as process,
    ):
        preview.submit(payload())
        record = preview.wait("job-1", timeout_seconds=60)
        assert record.state == "completed", log.read_text()
        store = ArtifactStore(settings.artifact_url)
        assert list(store.attempts()) == [("job-1", [record.fence])]
        for artifact in record.artifacts:
            content = b"".join(store.read(artifact["key"], start=0, end=artifact["bytes"]))
            assert hashlib.sha256(content).hexdigest() == artifact["sha256"]
        assert stop(process) == 0
    secret = reach.environment()["AWS_SECRET_ACCESS_KEY"]
    with running(["gunicorn", "app.http.wsgi:app"], env=env, log=api_log):
        wait_until(lambda: "Listening at: " in api_log.read_text(), "the API listens")
        address = api_log.read_text().partition("Listening at: ")[2].split(" ")[0]
        answer = httpx.get(f"{address}/api/preview/job/job-1/artifact", follow_redirects=True)
    (video,) = (item for item in record.artifacts if item["kind"] == "video")
    assert [old.status_code for old in answer.history] == [307]
    assert hashlib.sha256(answer.content).hexdigest() == video["sha256"]
    assert answer.headers["content-type"] == "video/mp4"
    told = log.read_text() + api_log.read_text()
    assert "attempt.ended" in told
    assert secret not in told
    assert "X-Amz-Signature" not in told


def test_expired_and_orphaned_files_are_swept_from_the_bucket(
    settings: Settings, ledger: Ledger, complete: Callable[[], None], source: Path
) -> None:
    PreviewClient.from_settings(settings).submit(payload())
    complete()
    store = ArtifactStore(settings.artifact_url)
    old = int((time.time() - 2 * 86_400) * 1_000_000)
    store.put(f"{attempt_prefix('orphan', old)}/preview.mp4", source)
    changes = {"preview_result_ttl_hours": 1e-9}
    parts = build_worker(settings.model_copy(update=changes), Metrics(track="stable"))
    queue = settings.preview_queue_name + SWEEP_SUFFIX
    sweeper = dramatiq.Worker(parts.broker, queues={queue}, worker_threads=1, worker_timeout=200)
    sweeper.start()
    try:
        for task in ("sweep_orphans", "sweep_results"):
            parts.broker.actors[task].send()
        wait_until(lambda: parts.broker.queues[queue].stats().total == 0, "both have swept")
    finally:
        sweeper.stop()
    assert list(store.attempts()) == []
    record = ledger.get("job-1")
    assert record is not None
    assert record.expired_at is not None
    with pytest.raises(ArtifactExpired):
        store.size(record.artifacts[0]["key"])


@pytest.mark.parametrize(
    ("bucket", "level", "words"), [("", "ok", "listed"), ("absent", "fail", "NoSuchBucket")]
)
def test_the_doctor_looks_into_the_bucket(
    url: str, monkeypatch: pytest.MonkeyPatch, *, bucket: str, level: str, words: str
) -> None:
    place = f"s3://{bucket}?allow-http=true" if bucket else url
    monkeypatch.setenv("STORAGE_URL", place)
    result = CliRunner().invoke(cli, ["doctor", "--json"])
    (found,) = (item for item in json.loads(result.stdout)["checks"] if item["name"] == "storage")
    assert found["level"] == level
    assert found["detail"].startswith(place.partition("?")[0] + ":" * (level == "fail"))
    assert words in found["detail"]
