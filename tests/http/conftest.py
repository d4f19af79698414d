"""Fixtures of the API's tests: the real application, each answer held against its OpenAPI."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import logging
import re
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import falcon
import falcon.testing
import jsonschema
import pytest

from app.client import PreviewClient
from app.contract.formats import FORMATS
from app.errors import PreviewError, RenderFailed
from app.http import create_app
from app.http.openapi import openapi_document
from app.ledger import Claimed, Ledger
from app.logs import configure_logging
from app.metrics import Metrics
from app.probes import probe_ledger
from app.settings import Settings
from app.storage import ArtifactStore, attempt_prefix
from tests.support.payloads import payload

API_KEY = "a-key-of-the-tests-0001"
#: The fields that a consumer tells about itself.
WORKER = {"slots": 2, "busy": 1, "track": "stable", "pid": 1, "host": "h"}
DOCUMENT = openapi_document()


def declared(method: str, path: str) -> Mapping[str, Any] | None:
    """The operation that the document has for a request."""
    # A path without parameters goes before one with them, as OpenAPI has it.
    for template, item in sorted(DOCUMENT["paths"].items(), key=lambda entry: "{" in entry[0]):
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return cast("Mapping[str, Any] | None", item.get(method.lower()))
    return None


def resolved(part: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Follow a reference of the document."""
    if part is None or "$ref" not in part:
        return part
    _, *names = part["$ref"].split("/")
    found: Any = functools.reduce(lambda node, name: node[name], names, DOCUMENT)
    return cast("Mapping[str, Any]", found)


def assert_declared(method: str, path: str, result: falcon.testing.Result) -> None:
    """Fail unless the document declares the status, the headers and the body of an answer."""
    operation = declared(method, path)
    if operation is None:
        assert result.status_code in (200, 401, 404, 405), f"{method} {path} is not declared"
        return
    answer = resolved(operation["responses"].get(str(result.status_code)))
    assert answer is not None, f"{method} {path} does not declare {result.status_code}"
    media_type = result.headers.get("content-type", "").split(";")[0]
    if not result.content or "content" not in answer:
        assert not result.content
        return
    content = answer["content"].get(media_type) or answer["content"].get("*/*")
    assert content is not None, f"{method} {path} does not declare {media_type}"
    if media_type.endswith("json") and "$ref" in content["schema"]:
        schema = {
            "components": DOCUMENT["components"],
            "allOf": [content["schema"]],
            "unevaluatedProperties": False,
        }
        jsonschema.Draft202012Validator(schema, format_checker=FORMATS).validate(result.json)


class Api(falcon.testing.TestClient):
    """A client with a key, that holds every answer against the document."""

    def simulate_request(self, *args: Any, **kwargs: Any) -> falcon.testing.Result:
        headers = {"Authorization": f"Bearer {API_KEY}"} | (kwargs.pop("headers", None) or {})
        result = super().simulate_request(*args, headers=headers, **kwargs)
        method, path = (*args, kwargs.get("path"))[:2]
        assert_declared(method, path.split("?")[0], result)
        assert result.headers["x-request-id"]
        return result

    def submit(self, document: Any, **kwargs: Any) -> falcon.testing.Result:
        return self.simulate_post("/api/preview/job", json=document, **kwargs)

    def status(self, job_id: str = "job-1", **kwargs: Any) -> falcon.testing.Result:
        return self.simulate_get(f"/api/preview/job/{job_id}/status", **kwargs)

    def artifact(self, query: str = "", **kwargs: Any) -> falcon.testing.Result:
        path = "/api/preview/job/job-1/artifact"
        return self.simulate_get(path, query_string=query, **kwargs)


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[Api]:
    """The application on ``settings``, with collaborators of its own."""
    metrics = Metrics(track=settings.preview_track)
    client = PreviewClient.from_settings(settings, metrics=metrics)
    probes = probe_ledger(settings)
    with client.ledger._client, probes._client:
        app = create_app(
            client=client,
            store=ArtifactStore(settings.artifact_url),
            settings=settings,
            metrics=metrics,
            probes=probes,
        )
        yield Api(app)


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    """Settings with an API key."""
    digest = hashlib.sha256(API_KEY.encode()).hexdigest()
    return settings.model_copy(update={"preview_api_keys": frozenset({digest})})


@pytest.fixture
def api(api_settings: Settings) -> Iterator[Api]:
    """The application on an embedded server."""
    with serving(api_settings) as api:
        yield api


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken and refuses every connection."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture
def lonely_api(api_settings: Settings, closed_port: int) -> Iterator[Api]:
    """The application without a Redis."""
    url = f"redis://user:hunter2@127.0.0.1:{closed_port}/3"
    with serving(api_settings.model_copy(update={"redis_url": url})) as api:
        yield api


def start(ledger: Ledger) -> Claimed:
    """Claim the next job, as a worker does."""
    claimed, _ = ledger.claim("worker-1", token=uuid.uuid4().hex, free=True, info=WORKER)
    assert claimed is not None
    return claimed


def bury(
    api: Api, ledger: Ledger, job_id: str, error: PreviewError | None = None, **changes: Any
) -> None:
    """Submit a job and let it fail for good; no other may be waiting."""
    assert api.submit(payload(job_id, **changes)).status_code == 202
    claimed = start(ledger)
    assert claimed.job_id == job_id
    problem = (error or RenderFailed("It broke.")).to_problem(request_id="request-1")
    assert ledger.settle(job_id, claimed.fence, "failed", fields={"error": problem}) == "failed"


FILES = {
    "video": ("preview.mp4", "video/mp4", bytes(range(256)) * 3000),
    "captions.vtt": ("captions.vtt", "text/vtt", b"WEBVTT\n"),
    "captions.pt-br.srt": ("captions.pt-br.srt", "application/x-subrip", b"1\n"),
    "manifest": ("manifest.json", "application/json", b'{"files":[]}'),
    "thumbnail-1": ("thumbnails/1.jpg", "image/jpeg", b"\xff\xd8\xff"),
}


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    """The store that the application reads."""
    return ArtifactStore(settings.artifact_url)


@pytest.fixture
def complete(ledger: Ledger, store: ArtifactStore, tmp_path: Path) -> Callable[[], None]:
    """Bring the next waiting job to its end, with files in the store."""

    def run() -> None:
        claimed = start(ledger)
        artifacts = []
        for kind, (name, media_type, content) in FILES.items():
            source = tmp_path / "source"
            source.write_bytes(content)
            key = f"{attempt_prefix(claimed.job_id, claimed.fence)}/{name}"
            store.put(key, source, content_type=media_type)
            digest = hashlib.sha256(content).hexdigest()
            artifacts.append(
                {
                    "kind": kind,
                    "name": name,
                    "contentType": media_type,
                    "bytes": len(content),
                    "sha256": digest,
                    "key": key,
                }
            )
        fields = {"artifacts": artifacts, "warnings": ["no font has U+1F600"]}
        state = ledger.settle(claimed.job_id, claimed.fence, "completed", fields=fields)
        assert state == "completed"

    return run


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, a JSON document a line."""
    handlers = logging.getLogger().handlers[:]
    stream = io.StringIO()
    configure_logging(level="info", style="json", stream=stream)
    yield stream
    logging.getLogger().handlers[:] = handlers


def events(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]
