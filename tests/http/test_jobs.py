from __future__ import annotations

from collections.abc import Callable

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from app.errors import AssetFailed, ErrorItem, ValidationFailed
from app.http.parameters import cursor, cursor_of
from app.ledger import Ledger, Progress
from tests.http.conftest import Api, bury, start
from tests.support.payloads import payload

JOBS = "/api/preview/jobs"


def test_the_status_of_a_running_job_tells_how_far_it_is(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    claimed = start(ledger)
    ledger.beat("job-1", claimed.fence, Progress("rendering", 30, 120))
    result = api.status()
    assert result.status_code == 200
    assert result.json["status"] == "active"
    assert result.json["phase"] == "rendering"
    assert result.json["progress"] == {"percent": 25.0, "framesDone": 30, "framesTotal": 120}
    assert result.json["heartbeatAt"]
    assert result.headers["cache-control"] == "private, no-cache"


def test_the_status_of_a_finished_job_lists_its_files(
    api: Api, complete: Callable[[], None]
) -> None:
    api.submit(payload())
    complete()
    document = api.status().json
    assert document["status"] == "completed"
    assert document["progress"]["percent"] == 100.0
    video = document["artifacts"][0]
    assert video["url"] == "/api/preview/job/job-1/artifact?kind=video"
    assert "key" not in video
    assert document["warnings"] == ["no font has U+1F600"]


def test_the_error_of_a_failed_job_has_the_shape_of_every_problem(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    claimed = start(ledger)
    error = AssetFailed("logo.png is truncated.").to_problem(request_id="request-1")
    ledger.settle("job-1", claimed.fence, "failed", fields={"error": error})
    document = api.status().json
    assert document["status"] == "failed"
    assert document["error"]["code"] == "asset-failed"


def test_a_status_that_has_not_changed_is_not_sent_again(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    tag = api.status().headers["etag"]
    assert tag.startswith('W/"')
    again = api.status(headers={"If-None-Match": f'"other", {tag}'})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == tag
    start(ledger)
    assert api.status(headers={"If-None-Match": tag}).status_code == 200


def test_head_answers_as_get_without_a_body(api: Api) -> None:
    api.submit(payload())
    get = api.status()
    head = api.simulate_head("/api/preview/job/job-1/status")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == get.headers["etag"]
    assert int(head.headers["content-length"]) == len(get.content)


@pytest.mark.parametrize("tail", ["status", "artifact"])
@pytest.mark.parametrize(
    "job_id", ["unknown", "..", "%2e%2e%2f%2e%2e%2fetc", "a%00b", "a%0ab", "-a", "x" * 200]
)
def test_an_id_that_no_job_has_is_not_found(api: Api, job_id: str, tail: str) -> None:
    result = api.simulate_get(f"/api/preview/job/{job_id}/{tail}")
    assert result.status_code == 404
    assert result.json["code"] in ("job-not-found", "not-found")


def test_a_waiting_job_is_cancelled_at_once_and_twice_is_the_same(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    for _ in range(2):
        result = api.simulate_post("/api/preview/job/job-1/cancel")
        assert result.status_code == 202
        assert result.json["status"] == "cancelled"
    assert ledger.stats().waiting == 0


def test_a_running_job_is_asked_to_stop(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    claimed = start(ledger)
    result = api.simulate_post("/api/preview/job/job-1/cancel")
    assert result.status_code == 202
    assert result.json["status"] == "active"
    assert ledger.beat("job-1", claimed.fence, Progress("rendering")) == "cancel"


def test_a_finished_job_cannot_be_cancelled(api: Api, complete: Callable[[], None]) -> None:
    api.submit(payload())
    complete()
    result = api.simulate_post("/api/preview/job/job-1/cancel")
    assert result.status_code == 409
    assert result.json["code"] == "job-conflict"


def test_cancelling_what_is_unknown_is_not_found(api: Api) -> None:
    assert api.simulate_post("/api/preview/job/nothing/cancel").status_code == 404
    assert api.simulate_post("/api/preview/job/..%2F/cancel").status_code == 404


def test_pages_show_every_job_once_newest_first(api: Api) -> None:
    for number in range(7):
        api.submit(payload(f"job-{number}"))
    seen, query, pages = [], "limit=3", 0
    while query:
        page = api.simulate_get(JOBS, query_string=query).json
        seen += [job["jobId"] for job in page["jobs"]]
        query = f"limit=3&cursor={page['nextCursor']}" if page["nextCursor"] else ""
        pages += 1
    assert seen == [f"job-{number}" for number in range(6, -1, -1)]
    assert pages == 3


def test_jobs_are_listed_by_status_and_project(api: Api, complete: Callable[[], None]) -> None:
    api.submit(payload("job-1"))
    complete()
    api.submit(payload("job-2"))
    api.submit(payload("job-3", projectId="project-2"))

    def listed(query: str) -> list[str]:
        answer = api.simulate_get(JOBS, query_string=query)
        return [job["jobId"] for job in answer.json["jobs"]]

    assert listed("") == ["job-3", "job-2", "job-1"]
    assert listed("status=completed") == ["job-1"]
    assert listed("projectId=project-1") == ["job-2", "job-1"]
    assert listed("status=queued&projectId=project-2") == ["job-3"]
    assert listed("status=failed&projectId=project-2") == []


def test_a_list_has_no_part_of_a_job_that_may_be_long(api: Api, ledger: Ledger) -> None:
    for number in (1, 2):
        assert api.submit(payload(f"job-{number}", dryRun=True)).status_code == 202
        fields = {"plan": {"steps": ["x" * 500_000]}, "warnings": ["y" * 900] * 40}
        ledger.settle(f"job-{number}", start(ledger).fence, "completed", fields=fields)
    errors = [ErrorItem(f"/{number}", "wrong-type", "z" * 900) for number in range(100)]
    bury(api, ledger, "job-3", ValidationFailed("There are 100 errors.", errors=errors))
    answer = api.simulate_get(JOBS)
    failed, *dry_runs = answer.json["jobs"]
    assert len(answer.content) < 5_000
    assert (failed["error"]["detail"], failed["error"]["errors"]) == ("There are 100 errors.", [])
    for job in dry_runs:
        status = api.status(job["jobId"]).json
        assert len(status["plan"]["steps"][0]) == 500_000
        assert job["warningCount"] == len(status["warnings"]) > 1
    letters = api.simulate_get("/api/preview/dlq")
    assert len(letters.content) < 2_000
    assert letters.json["deadLetters"][0]["error"]["errors"] == []
    assert api.simulate_get("/api/preview/dlq/job-3").json["error"]["errors"]


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("status=done", ["/status"]),
        ("limit=0", ["/limit"]),
        ("limit=201", ["/limit"]),
        ("limit=-1", ["/limit"]),
        ("limit=1e2", ["/limit"]),
        ("limit=٣", ["/limit"]),
        ("cursor=!!!", ["/cursor"]),
        ("cursor=abc", ["/cursor"]),
        ("cursor=" + "A" * 4000, ["/cursor"]),
        ("projectId=../etc", ["/projectId"]),
        ("status=x&limit=y&cursor=z&projectId=-", ["/status", "/projectId", "/cursor", "/limit"]),
    ],
)
def test_bad_parameters_are_all_named(api: Api, query: str, pointers: list[str]) -> None:
    result = api.simulate_get(JOBS, query_string=query)
    assert result.status_code == 422
    assert [item["pointer"] for item in result.json["errors"]] == pointers


@given(st.integers(min_value=1, max_value=10**17 - 1))
def test_a_cursor_comes_back_as_the_position_it_was(before_us: int) -> None:
    assert cursor(cursor_of(before_us)) == before_us


@given(st.text(max_size=40))
def test_any_text_as_a_cursor_is_a_position_or_a_value_error(text: str) -> None:
    try:
        position = cursor(text)
    except ValueError:
        return
    assert 0 <= position < 10**17


def test_the_queue_is_counted_as_the_replaced_system_did(
    api: Api, ledger: Ledger, complete: Callable[[], None]
) -> None:
    api.submit(payload("job-1"))
    complete()
    api.submit(payload("job-2", priority="high"))
    api.submit(payload("job-3", priority="low"))
    start(ledger)
    document = api.simulate_get("/api/preview/queue/metrics").json
    counts = {"waiting": 1, "active": 1, "completed": 1, "failed": 0, "delayed": 0, "total": 3}
    assert document | counts == document
    assert document["max"] == 20
    assert document["byPriority"] == {"high": 0, "normal": 0, "low": 1}
    assert document["oldestWaitingSeconds"] > 0
    assert document["workers"] == {"alive": 1, "slots": 2, "busy": 1, "resting": 0}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/preview/jobs"),
        ("GET", "/api/preview/job/job-1/status"),
        ("GET", "/api/preview/job/job-1/artifact"),
        ("POST", "/api/preview/job/job-1/cancel"),
        ("GET", "/api/preview/queue/metrics"),
    ],
)
def test_without_redis_every_route_says_so(lonely_api: Api, method: str, path: str) -> None:
    result = lonely_api.simulate_request(method, path)
    assert result.status_code == 503
    assert result.json["code"] == "broker-unavailable"
    assert int(result.headers["retry-after"]) > 0


def test_a_redis_that_refuses_commands_is_unavailable_too(
    api: Api, client: redis.Redis, ledger: Ledger
) -> None:
    client.set(ledger.keys.job("job-1"), "no hash")
    result = api.status()
    assert result.status_code == 503
    assert int(result.headers["retry-after"]) > 0
