from __future__ import annotations

import io
from typing import Any

import falcon
import falcon.testing
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.contract import MAX_PAYLOAD_BYTES
from app.ledger import Ledger
from app.settings import Settings
from tests.http.conftest import API_KEY, Api, start
from tests.support.payloads import payload

JOB = "/api/preview/job"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def counted(api: Api, name: str) -> float:
    text = api.simulate_get("/metrics").text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name:
                return sample.value
    pytest.fail(f"no series {name}")


def test_a_job_is_accepted_and_says_where_it_is_followed(api: Api, ledger: Ledger) -> None:
    result = api.submit(payload())
    assert result.status_code == 202
    assert result.headers["location"] == "/api/preview/job/job-1/status"
    assert result.json == {
        "jobId": "job-1",
        "status": "queued",
        "links": {
            "status": "/api/preview/job/job-1/status",
            "artifact": "/api/preview/job/job-1/artifact",
            "cancel": "/api/preview/job/job-1/cancel",
        },
    }
    assert ledger.stats().waiting == 1
    assert counted(api, "preview_jobs_accepted_total") == 1


def test_the_same_job_again_is_answered_with_the_job_as_it_stands(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    start(ledger)
    result = api.submit(payload(requestId="request-2"))
    assert result.status_code == 200
    assert result.headers["idempotent-replayed"] == "true"
    assert result.json["status"] == "active"
    assert result.json["attempt"] == 1
    assert result.json["links"]["cancel"] == "/api/preview/job/job-1/cancel"
    assert ledger.stats().depth == 1
    assert counted(api, "preview_jobs_duplicate_total") == 1


def test_the_same_id_with_another_payload_is_a_conflict(api: Api) -> None:
    api.submit(payload())
    result = api.submit(payload(dryRun=True))
    assert result.status_code == 409
    assert result.json["code"] == "job-conflict"
    assert "idempotent-replayed" not in result.headers


def test_every_violation_is_named_with_its_pointer(api: Api, ledger: Ledger) -> None:
    bad = payload(dryRun="no", priority="urgent")
    bad["previewRequest"]["steps"] = [{"id": "s", "title": 7}]
    result = api.submit(bad)
    assert result.status_code == 422
    assert result.json["code"] == "validation-failed"
    pointers = {item["pointer"] for item in result.json["errors"]}
    assert pointers >= {"/dryRun", "/priority", "/previewRequest/steps/0/title"}
    assert ledger.stats().total == 0
    assert counted(api, "preview_jobs_invalid_total") == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b"\xff\xfe", b'{"a":NaN}', b"[" * 5000])
def test_what_is_no_json_is_a_bad_request(api: Api, body: bytes) -> None:
    result = api.simulate_post(JOB, body=body, content_type="application/json")
    assert result.status_code == 400
    assert result.json["code"] == "invalid-json"


@pytest.mark.parametrize("document", [[], "x", 1, None, {}])
def test_json_that_is_no_job_is_a_violation(api: Api, document: Any) -> None:
    body = orjson.dumps(document)
    result = api.simulate_post(JOB, body=body, content_type="application/json")
    assert result.status_code == 422
    assert result.json["errors"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp",
     "application/json; charset=latin-1"],
)  # fmt: skip
def test_another_media_type_is_refused(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    result = api.simulate_post(JOB, body=orjson.dumps(payload()), headers=headers)
    assert result.status_code == 415
    assert result.json["code"] == "unsupported-media-type"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_json_with_its_charset_is_accepted(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    result = api.simulate_post(JOB, body=orjson.dumps(payload()), headers=headers)
    assert result.status_code == 202


class Unread(io.BytesIO):
    """A body that must not be touched."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise AssertionError("the body was read")


def environ(body: io.BytesIO, **more: str) -> dict[str, Any]:
    made: dict[str, Any] = falcon.testing.create_environ(
        JOB,
        method="POST",
        headers={"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"},
    )
    return made | {"wsgi.input": body} | more


def call(api: Api, env: dict[str, Any]) -> tuple[str, Any]:
    answer = falcon.testing.StartResponseMock()
    body = b"".join(api.app(env, answer))
    return answer.status or "", orjson.loads(body)


def test_a_declared_length_over_the_limit_is_refused_unread(api: Api) -> None:
    env = environ(Unread(), CONTENT_LENGTH=str(MAX_PAYLOAD_BYTES + 1))
    status, problem = call(api, env)
    assert status.startswith("413")
    assert problem["code"] == "payload-too-large"


def test_a_body_of_exactly_the_limit_is_read(api: Api) -> None:
    body = orjson.dumps(payload())
    result = api.simulate_post(
        JOB, body=body + b" " * (MAX_PAYLOAD_BYTES - len(body)), content_type="application/json"
    )
    assert result.status_code == 202


def test_a_body_without_a_length_is_read_to_the_limit_and_no_further(api: Api) -> None:
    body = io.BytesIO(b" " * (4 * MAX_PAYLOAD_BYTES))
    env = environ(body, HTTP_TRANSFER_ENCODING="chunked")
    env.pop("CONTENT_LENGTH", None)
    status, problem = call(api, env)
    assert status.startswith("413")
    assert problem["code"] == "payload-too-large"
    assert body.tell() == MAX_PAYLOAD_BYTES + 1


def test_a_body_without_a_length_is_accepted(api: Api) -> None:
    env = environ(io.BytesIO(orjson.dumps(payload())), HTTP_TRANSFER_ENCODING="chunked")
    env.pop("CONTENT_LENGTH", None)
    assert call(api, env)[0].startswith("202")


class Broken(io.BytesIO):
    """A body whose chunks make no sense, as gunicorn tells it."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise OSError("invalid chunk size")


def test_a_body_that_breaks_off_is_a_bad_request(api: Api) -> None:
    status, problem = call(api, environ(Broken(), CONTENT_LENGTH="10"))
    assert status.startswith("400")
    assert problem["code"] == "invalid-json"


def test_a_full_queue_asks_to_come_back(api: Api, settings: Settings) -> None:
    for number in range(settings.preview_queue_max):
        assert api.submit(payload(f"job-{number}")).status_code == 202
    result = api.submit(payload("one-too-many"))
    assert result.status_code == 429
    assert result.json["code"] == "queue-full"
    assert result.json["retryable"] is True
    assert int(result.headers["retry-after"]) > 0
    assert api.submit(payload("job-0")).status_code == 200  # known ones are still answered


def test_without_redis_a_client_is_told_to_come_back(lonely_api: Api) -> None:
    result = lonely_api.submit(payload())
    assert result.status_code == 503
    assert result.json["code"] == "broker-unavailable"
    assert int(result.headers["retry-after"]) > 0
    assert "hunter2" not in result.text


def test_the_trace_of_a_request_goes_with_its_job(api: Api, ledger: Ledger) -> None:
    api.submit(payload(), headers={"traceparent": TRACE})
    record = ledger.get("job-1")
    assert record is not None
    assert record.traceparent == TRACE


@pytest.mark.parametrize(
    "trace",
    ["junk", TRACE.upper(), TRACE + "-more", "ff" + TRACE[2:], "00-" + "0" * 32 + TRACE[35:]],
)
def test_a_malformed_trace_is_dropped(api: Api, ledger: Ledger, trace: str) -> None:
    api.submit(payload(), headers={"traceparent": trace})
    record = ledger.get("job-1")
    assert record is not None
    assert record.traceparent == ""
