"""A worker that fetches what a job names: a real queue, a real server, a real render."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from dramatiq import Worker
from PIL import Image

from app.actors.assembly import build_worker
from app.assets import AssetCache, AssetFetcher
from app.assets.https import HttpsSource
from app.assets.watch import Timeouts
from app.client import PreviewClient
from app.contract import RemoteAssets
from app.errors import AssetUnavailable
from app.ledger import Record
from app.metrics import Metrics
from app.settings import Settings
from app.stillrequest import StillRequest
from app.stills import decoded
from app.storage import ArtifactStore
from tests.conftest import wait_until
from tests.render.films import write_png
from tests.support.certificates import Authority
from tests.support.https_server import HttpsServer, Request, answer, trusting
from tests.support.payloads import payload

HOST = "assets.test"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    changes = {
        "preview_asset_hosts": frozenset({HOST}),
        "preview_job_timeout_seconds": 30.0,
        "preview_max_attempts": 2,
        "preview_retry_base_seconds": 0.05,
    }
    return settings.model_copy(update=changes)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[HttpsServer]:
    with HttpsServer(authority.issue("server", names=f"DNS:{HOST}")).running() as running:
        yield running


@pytest.fixture
def start(
    settings: Settings, server: HttpsServer, authority: Authority
) -> Iterator[Callable[..., None]]:
    """Start a worker whose fetcher knows the test's server, which no public address has."""
    started: list[Worker] = []

    def begin(**changes: Any) -> None:
        own = settings.model_copy(update=changes)
        https = HttpsSource(
            RemoteAssets.of(own),
            resolver=lambda _: [("127.0.0.1", server.port)],
            is_allowed=lambda address: address == "127.0.0.1",
            ssl_context=trusting(authority.cert),
        )
        fetcher = AssetFetcher(
            RemoteAssets.of(own),
            AssetCache(own.asset_cache, max_bytes=10**6),
            https=https,
            timeouts=Timeouts(connect=5, idle=60, total=60),
        )
        parts = build_worker(own, Metrics(track="stable"), fetcher=fetcher)
        worker = Worker(
            parts.broker,
            queues={own.preview_queue_name},
            worker_threads=2,
            worker_timeout=200,
        )
        worker.start()
        started.append(worker)

    yield begin
    for worker in started:
        worker.stop()
        worker.broker.close()


def job(**declared: Any) -> dict[str, Any]:
    base = payload("job-1")["previewRequest"]
    picture = {"id": "board", "type": "image", "uri": f"https://{HOST}/board.png", **declared}
    steps = [
        {"id": "one", "text": "Place it.", "durationSec": 1, "visuals": [{"assetId": "board"}]}
    ]
    return payload("job-1", previewRequest={**base, "assets": [picture], "steps": steps})


def ended(preview: PreviewClient) -> Record:
    return preview.wait("job-1", timeout_seconds=60)


def test_a_picture_of_a_server_is_in_the_film_and_in_the_manifest(
    settings: Settings,
    preview: PreviewClient,
    server: HttpsServer,
    start: Callable[..., None],
    tmp_path: Path,
) -> None:
    content = write_png(tmp_path / "board.png").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    server.routes["/board.png"] = answer(content, content_type="image/png")
    start()
    preview.submit(job(sha256=digest))
    record = ended(preview)
    assert record.state == "completed", record.error
    (key,) = [file["key"] for file in record.artifacts if file["kind"] == "manifest"]
    store = ArtifactStore(settings.artifact_url)
    manifest = json.loads(b"".join(store.read(key, start=0, end=store.size(key))))
    assert [entry["sha256"] for entry in manifest["inputs"]] == [digest]
    assert len(server.seen) == 1
    wait_until(lambda: not list(settings.work_root.iterdir()), "the work is removed")


def test_a_still_fetches_what_its_payload_names_and_no_job_comes_of_it(
    preview: PreviewClient, server: HttpsServer, start: Callable[..., None], tmp_path: Path
) -> None:
    ledger = preview.ledger
    order = orjson.dumps(StillRequest(at=0.5, format="png").order(job()))

    def asked() -> bytes:
        return decoded(ledger.stills.ask(order))

    server.routes["/board.png"] = answer(write_png(tmp_path / "board.png").read_bytes())
    start()
    wait_until(lambda: ledger.stills._client.get(ledger.keys["stills:slot"]), "the slot is there")
    assert Image.open(io.BytesIO(asked())).size == (160, 90)
    assert len(server.seen) == 1
    server.routes["/board.png"] = answer(status=503)
    with pytest.raises(AssetUnavailable) as caught:
        asked()
    assert caught.value.errors[0].pointer == "/previewRequest/assets/0/uri"
    assert ledger.stats().total == 0


def test_a_server_that_fails_once_costs_an_attempt_and_one_without_the_file_the_job(
    preview: PreviewClient, server: HttpsServer, start: Callable[..., None], tmp_path: Path
) -> None:
    answers = [answer(status=503), answer(write_png(tmp_path / "a.png").read_bytes())]

    def next_answer(connection: socket.socket, request: Request) -> None:
        answers.pop(0)(connection, request)

    server.routes["/board.png"] = next_answer
    start()
    preview.submit(job())
    record = ended(preview)
    assert (record.state, record.attempts) == ("completed", 2), record.error


def test_a_file_that_is_not_there_fails_at_once_and_points_to_it(
    preview: PreviewClient, server: HttpsServer, start: Callable[..., None]
) -> None:
    server.routes["/board.png"] = answer(status=404)
    start()
    preview.submit(job())
    record = ended(preview)
    assert (record.state, record.attempts) == ("failed", 1)
    assert record.error is not None
    assert record.error["code"] == "asset-failed"
    assert record.error["errors"][0]["pointer"] == "/previewRequest/assets/0/uri"


def test_a_job_that_waits_for_a_server_is_cancelled_within_two_seconds(
    preview: PreviewClient, server: HttpsServer, start: Callable[..., None]
) -> None:
    asked = threading.Event()

    def hang(*_: object) -> None:
        asked.set()
        server.leaving.wait(60)

    server.routes["/board.png"] = hang
    start()
    preview.submit(job())
    assert asked.wait(30)
    preview.cancel("job-1")
    wait_until(lambda: preview.status("job-1").state == "cancelled", "it ends", seconds=5)


def test_a_job_that_waits_for_a_server_keeps_to_its_time_and_its_lease(
    settings: Settings, server: HttpsServer, start: Callable[..., None]
) -> None:
    def hang(*_: object) -> None:
        server.leaving.wait(60)

    server.routes["/board.png"] = hang
    changes = {"preview_job_timeout_seconds": 3.0, "preview_lease_seconds": 2.0}
    start(**changes)
    once = settings.model_copy(update={**changes, "preview_max_attempts": 1})
    preview = PreviewClient.from_settings(once)
    preview.submit(job())
    record = ended(preview)
    assert (record.state, record.attempts) == ("failed", 1)
    assert record.error is not None
    assert record.error["code"] == "render-timeout"
    assert "fetching" in record.error["detail"]


def test_a_worker_without_the_host_refuses_the_job(
    preview: PreviewClient, server: HttpsServer, start: Callable[..., None]
) -> None:
    start(preview_asset_hosts=frozenset())
    preview.submit(job())
    record = ended(preview)
    assert record.state == "failed"
    assert record.error is not None
    assert record.error["code"] == "validation-failed"
    assert server.seen == []
