"""What is true of every request, whatever its route."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import falcon
import pytest

from app.http.problems import install_problems
from app.http.request_context import RequestContext
from tests.http.conftest import API_KEY, Api, events
from tests.support.payloads import payload


def test_a_request_keeps_the_name_that_its_client_gave_it(api: Api) -> None:
    result = api.simulate_get("/api/preview/jobs", headers={"X-Request-ID": "req:1.a_b-c"})
    assert result.headers["x-request-id"] == "req:1.a_b-c"


@pytest.mark.parametrize("name", ["", "a b", "<script>", "x" * 129, "-a", 'a"b'])
def test_a_malformed_name_is_replaced(api: Api, name: str) -> None:
    result = api.simulate_get("/api/preview/jobs", headers={"X-Request-ID": name})
    assert result.headers["x-request-id"] != name
    assert len(result.headers["x-request-id"]) == 32


def test_a_problem_names_its_request(api: Api) -> None:
    result = api.status("unknown", headers={"X-Request-ID": "req-7"})
    assert result.json["requestId"] == "req-7"
    assert result.json["instance"] == "/api/preview/job/unknown/status"
    assert result.headers["content-type"] == "application/problem+json"


def test_every_answer_carries_the_security_headers(api: Api) -> None:
    for path in ("/livez", "/api/preview/jobs", "/nothing", "/openapi.json"):
        headers = api.simulate_get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


def test_each_request_is_one_event_without_its_key(api: Api, log: io.StringIO) -> None:
    api.submit(payload(), headers={"X-Request-ID": "req-9"})
    api.status("unknown")
    submitted, asked = events(log)
    assert submitted["event"] == "http.request"
    assert submitted["method"] == "POST"
    assert submitted["path"] == "/api/preview/job"
    assert submitted["status"] == 202
    assert submitted["durationMs"] > 0
    assert submitted["requestId"] == "req-9"
    assert submitted["jobId"] == "job-1"
    assert asked["status"] == 404
    assert asked["requestId"] != "req-9"
    assert API_KEY not in log.getvalue()
    assert submitted["caller"] == hashlib.sha256(API_KEY.encode()).hexdigest()[:8]


def test_probes_are_too_many_to_be_logged(api: Api, log: io.StringIO) -> None:
    api.simulate_get("/livez")
    assert events(log) == []


def test_what_is_not_there_is_a_problem(api: Api) -> None:
    result = api.simulate_get("/api/preview/nothing")
    assert result.status_code == 404
    assert result.json["code"] == "not-found"
    assert api.simulate_get("/api/preview/jobs/").status_code == 404


def test_a_method_that_a_route_does_not_have_is_named_with_those_it_has(api: Api) -> None:
    result = api.simulate_delete("/api/preview/job")
    assert result.status_code == 405
    assert result.json["code"] == "method-not-allowed"
    assert "POST" in result.headers["allow"]
    assert "POST" in result.json["detail"]


class Trouble:
    """Fails in the way that its path says."""

    def on_get(self, _req: falcon.Request, _resp: falcon.Response, kind: str) -> None:
        if kind == "bug":
            raise KeyError("secret-of-the-server")
        status = int(kind)
        raise falcon.HTTPError(status, description="So it is.")


@pytest.fixture
def trouble(api: Api) -> Api:
    """An application of the same middleware and handlers whose only route fails."""
    app = falcon.App()
    app.add_middleware(RequestContext())
    install_problems(app)
    app.add_route("/trouble/{kind}", Trouble())
    return Api(app)


def failing(trouble: Api, kind: str) -> Any:
    return falcon.testing.TestClient(trouble.app).simulate_get(f"/trouble/{kind}")


def test_a_bug_is_logged_whole_and_told_to_nobody(trouble: Api, log: io.StringIO) -> None:
    result = failing(trouble, "bug")
    assert result.status_code == 500
    assert result.json["code"] == "internal-error"
    assert "secret-of-the-server" not in result.text
    failure = events(log)[0]
    assert failure["event"] == "http.failed"
    assert "Traceback" in failure["exception"]
    assert failure["requestId"] == result.json["requestId"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad-request"), (413, "payload-too-large"), (415, "unsupported-media-type")],
)
def test_errors_of_the_framework_become_problems(trouble: Api, status: int, code: str) -> None:
    result = failing(trouble, str(status))
    assert result.status_code == status
    assert result.headers["content-type"] == "application/problem+json"
    assert result.json["code"] == code
    assert result.json["detail"] == "So it is."
