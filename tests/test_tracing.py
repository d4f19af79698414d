"""Traces, as a real collector of OpenTelemetry's protocol receives them."""

from __future__ import annotations

import gzip
import importlib.util
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from app.client import PreviewClient
from app.http import create_app
from app.ledger import Ledger
from app.metrics import Metrics
from app.settings import Settings, SettingsError, load_settings
from app.storage import ArtifactStore
from app.tracing import Tracing, open_tracing
from tests.support.payloads import payload, second_payload
from tests.support.processes import worker

CLIENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Collector:
    """What was sent to a server of OTLP on loopback."""

    url: str = ""
    spans: list[tuple[str, Sent]] = field(default_factory=list)

    def named(self, name: str) -> tuple[str, Sent]:
        """The only span of a name, and the service that sent it."""
        (found,) = [(service, span) for service, span in self.spans if span.name == name]
        return found

    def of_job(self, job_id: str, name: str) -> Sent:
        """The span of a name that is about a job."""
        (found,) = [
            span
            for _, span in self.spans
            if span.name == name
            and job_id in (entry.value.string_value for entry in span.attributes)
        ]
        return found

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            about = {entry.key: entry.value.string_value for entry in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [(about["service.name"], span) for span in scope.spans]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    collected = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding") == "gzip"
            collected.take(gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        collected.url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")  # milliseconds
        yield collected
        server.shutdown()


def post(settings: Settings, tracing: Tracing, job: dict[str, Any]) -> falcon.testing.Result:
    metrics = Metrics(track=settings.preview_track)
    preview = PreviewClient.from_settings(settings, metrics=metrics)
    api = create_app(
        client=preview,
        store=ArtifactStore(settings.artifact_url),
        settings=settings,
        metrics=metrics,
        probes=preview.ledger,
        tracing=tracing,
    )
    client = falcon.testing.TestClient(api)
    return client.simulate_post("/api/preview/job", json=job, headers={"traceparent": CLIENT})


def broken_payload(job_id: str) -> dict[str, Any]:
    job = payload(job_id)
    job["previewRequest"] |= {
        "steps": [{"id": "one", "text": "Look.", "visuals": [{"assetId": "gone"}]}],
        "assets": [{"id": "gone", "type": "image", "path": "gone.png"}],
    }
    return job


def test_one_trace_goes_from_the_request_through_the_queue_to_the_phases_of_the_render(
    settings: Settings, collector: Collector, tmp_path: Path
) -> None:
    traced = settings.model_copy(update={"otel_exporter_otlp_endpoint": collector.url})
    tracing = open_tracing(traced, service="api")
    assert post(traced, tracing, second_payload()).status_code == 202
    preview = PreviewClient.from_settings(traced)
    preview.submit(broken_payload("job-2"))
    with worker(traced, tmp_path / "worker.log"):
        assert preview.wait("job-1", timeout_seconds=60).state == "completed"
        assert preview.wait("job-2", timeout_seconds=60).state == "failed"
    tracing.close()
    failed = collector.of_job("job-2", "render_preview")
    assert failed.status.code == failed.status.STATUS_CODE_ERROR
    assert failed.status.message == "asset-failed"
    collector.spans = [sent for sent in collector.spans if sent[1].trace_id != failed.trace_id]
    trace_id, parent = CLIENT.split("-")[1:3]
    assert {span.trace_id.hex() for _, span in collector.spans} == {trace_id}
    service, request = collector.named("POST /api/preview/job")
    assert (service, request.parent_span_id.hex()) == ("preview-api", parent)
    service, attempt = collector.named("render_preview")
    assert (service, attempt.parent_span_id) == ("preview-worker", request.span_id)
    assert collector.named("waiting")[1].parent_span_id == request.span_id
    phases = [collector.named(name)[1] for name in ("rendering", "publishing")]
    assert {span.parent_span_id for span in phases} == {attempt.span_id}
    assert attempt.start_time_unix_nano <= phases[0].start_time_unix_nano
    for one, following in pairwise(phases):
        assert one.end_time_unix_nano <= following.start_time_unix_nano
    told = {entry.key: entry.value for entry in attempt.attributes}
    assert told["preview.jobId"].string_value == payload()["jobId"]
    assert told["preview.outcome"].string_value == "completed"
    assert told["preview.attempt"].int_value == 1


def test_without_an_endpoint_nothing_is_imported_and_the_clients_trace_is_handed_on(
    settings: Settings, ledger: Ledger
) -> None:
    code = (
        "import sys; from app.settings import Settings; from app.tracing import open_tracing;"
        "open_tracing(Settings(), service='api');"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    tracing = open_tracing(settings, service="api")
    assert not tracing.on
    assert tracing.begin("x", kind="server", traceparent=CLIENT).traceparent == CLIENT
    assert post(settings, tracing, payload()).status_code == 202
    record = ledger.get(payload()["jobId"])
    assert record
    assert record.traceparent == CLIENT


def test_an_endpoint_without_the_extra_is_refused_with_the_remedy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "opentelemetry" else found(name)
    )
    told = settings.model_copy(update={"otel_exporter_otlp_endpoint": "http://127.0.0.1:4318"})
    with pytest.raises(SettingsError, match=r"mobius-preview-worker\[otel\]"):
        open_tracing(told, service="worker")


def test_a_collector_that_says_nothing_holds_no_process_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.tracing.otel.CLOSE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        traced = settings.model_copy(update={"otel_exporter_otlp_endpoint": url})
        tracing = open_tracing(traced, service="api")
        tracing.begin("work", kind="server").end()
        began = time.monotonic()
        tracing.close()
        assert time.monotonic() - began < 5


def test_what_goes_on_from_nothing_tells_no_wait(settings: Settings, collector: Collector) -> None:
    traced = settings.model_copy(update={"otel_exporter_otlp_endpoint": collector.url})
    tracing = open_tracing(traced, service="worker")
    tracing.begin("work", kind="consumer", traceparent="no trace", waited_seconds=5).end()
    tracing.close()
    assert [span.name for _, span in collector.spans] == ["work"]


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("collector:4318", r"OTEL_EXPORTER_OTLP_ENDPOINT='collector:4318': use http"),
        ("http://collector:port", r"'http://collector:port': use http"),
        ("user:hunter2@collector", r"OTEL_EXPORTER_OTLP_ENDPOINT=\(hidden\): use http"),
        ("http://collector:4318", r"OTEL_\* variable .*: max_queue_size must be"),
    ],
)
def test_a_bad_value_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, told: str
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "0")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    with pytest.raises(SettingsError, match=told):
        open_tracing(load_settings(), service="api")
