"""Dead letters over HTTP: replayed, each once, within the queue's maximum."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import falcon.testing
import orjson
import pytest

from app.client import PreviewClient
from app.contract import MAX_PAYLOAD_BYTES
from app.errors import AssetFailed
from app.ledger import Ledger
from app.settings import Settings
from tests.http.conftest import API_KEY, Api, bury, serving, start
from tests.http.test_submit import counted
from tests.support.payloads import payload

REPLAY = "/api/preview/dlq/replay"
BROKEN = AssetFailed("logo.png is truncated.")


def replay(api: Api, status: int = 202, **body: Any) -> dict[str, Any]:
    result = api.simulate_post(REPLAY, json=body)
    assert result.status_code == status, result.text
    document: dict[str, Any] = result.json
    return document


def reasons(answer: dict[str, Any]) -> dict[str, str]:
    return {item["jobId"]: item["reason"] for item in answer["skipped"]}


@pytest.fixture
def buried(api: Api, ledger: Ledger) -> Api:
    """The application with the dead letters a (asset-failed), b and c, in this order."""
    bury(api, ledger, "a", BROKEN)
    bury(api, ledger, "b")
    bury(api, ledger, "c", projectId="project-2")
    return api


def test_named_jobs_are_queued_again_and_the_others_have_a_reason(buried: Api) -> None:
    buried.submit(payload("alive"))
    answer = replay(buried, jobIds=["b", "nobody", "alive", "a", "b"])
    assert answer == {
        "replayed": ["b", "a"],
        "skipped": [
            {"jobId": "nobody", "reason": "job-not-found"},
            {"jobId": "alive", "reason": "replay-conflict"},
        ],
        "dryRun": False,
    }
    assert buried.status("b").json["status"] == "queued"
    assert reasons(replay(buried, jobIds=["b"])) == {"b": "replay-conflict"}
    assert counted(buried, "preview_jobs_replayed_total") == 2


def test_a_replay_keeps_payload_and_priority_and_begins_with_clean_attempts(
    api: Api, ledger: Ledger
) -> None:
    api.submit(payload("job-1", priority="low"))
    ledger.settle("job-1", start(ledger).fence, "delayed", fields={"error": BROKEN.to_problem()})
    ledger.settle("job-1", start(ledger).fence, "failed", fields={"error": BROKEN.to_problem()})
    assert api.simulate_get("/api/preview/dlq/job-1").json["attempts"] == 2
    before = ledger.message("job-1")
    assert replay(api, jobIds=["job-1"])["replayed"] == ["job-1"]
    status = api.status().json
    assert (
        status
        | {
            "status": "queued",
            "attempt": 0,
            "priority": "low",
            "error": None,
            "replays": 1,
            "startedAt": None,
            "finishedAt": None,
            "requestId": "request-1",
        }
        == status
    )
    assert api.simulate_get("/api/preview/queue/metrics").json["byPriority"]["low"] == 1
    claimed = start(ledger)
    assert claimed.message == before
    assert orjson.loads(claimed.message)["args"] == [payload("job-1", priority="low")]
    assert api.status().json["attempt"] == 1
    ledger.settle("job-1", claimed.fence, "failed", fields={"error": BROKEN.to_problem()})
    letter = api.simulate_get("/api/preview/dlq/job-1").json
    assert (letter["attempts"], letter["replays"]) == (1, 1)


def test_a_filter_takes_the_oldest_that_match(buried: Api) -> None:
    answer = replay(buried, filter={"code": "render-failed"}, limit=1)
    assert (answer["replayed"], answer["skipped"], answer["matching"]) == (["b"], [], 2)
    assert replay(buried, filter={"projectId": "project-1"})["replayed"] == ["a"]
    assert replay(buried, filter={"code": "render-failed", "projectId": "x"})["replayed"] == []
    assert replay(buried, filter={})["replayed"] == ["c"]
    assert replay(buried, filter={})["matching"] == 0


def test_a_filter_by_time_takes_what_failed_then(buried: Api) -> None:
    past = {"failedFrom": "2020-01-01T00:00:00Z", "failedUntil": "2021-01-01T00:00:00Z"}
    assert replay(buried, filter=past)["replayed"] == []
    since = {"failedFrom": "2021-01-01T00:00:00+14:00", "code": "asset-failed"}
    assert replay(buried, filter=since)["replayed"] == ["a"]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(buried: Api) -> None:
    answer = replay(buried, 200, filter={}, limit=2, dryRun=True)
    expected = {"replayed": ["a", "b"], "skipped": [], "dryRun": True, "matching": 3}
    assert answer == expected
    buried.submit(payload("alive"))
    named = replay(buried, 200, jobIds=["c", "alive", "nobody"], dryRun=True)
    assert named["replayed"] == ["c"]
    assert reasons(named) == {"alive": "replay-conflict", "nobody": "job-not-found"}
    assert buried.simulate_get("/api/preview/dlq").json["matching"] == 3
    assert counted(buried, "preview_jobs_replayed_total") == 0


def test_a_limit_holds_for_named_jobs_and_says_which_are_left(buried: Api) -> None:
    answer = replay(buried, jobIds=["c", "b", "a"], limit=1.0)
    assert answer["replayed"] == ["c"]
    assert reasons(answer) == {"b": "over-limit", "a": "over-limit"}


def test_no_name_at_all_is_no_job_rather_than_all(buried: Api) -> None:
    assert replay(buried, jobIds=[]) == {"replayed": [], "skipped": [], "dryRun": False}


def test_a_thousand_names_are_answered_one_by_one(buried: Api) -> None:
    names = [f"nobody-{number}" for number in range(999)]
    answer = replay(buried, jobIds=[*names, "a"])
    assert answer["replayed"] == ["a"]
    assert reasons(answer) == dict.fromkeys(names, "job-not-found")


def test_a_lost_message_is_said(buried: Api, ledger: Ledger) -> None:
    ledger._client.hdel(ledger.keys.job("a"), "message")
    assert reasons(replay(buried, jobIds=["a"])) == {"a": "message-lost"}


@pytest.fixture
def small(api_settings: Settings, ledger: Ledger) -> Iterator[Api]:
    """The application on a queue for three, with six dead letters."""
    with serving(api_settings.model_copy(update={"preview_queue_max": 3})) as api:
        for number in range(6):
            bury(api, ledger, f"job-{number}")
        yield api


def test_a_replay_never_fills_the_queue_above_its_maximum(small: Api, ledger: Ledger) -> None:
    small.submit(payload("alive"))
    answer = replay(small, filter={})
    assert answer["replayed"] == ["job-0", "job-1"]
    assert set(reasons(answer).values()) == {"queue-full"}
    assert ledger.stats().depth == 3
    assert small.simulate_get("/api/preview/dlq").json["matching"] == 4


def test_of_many_who_replay_a_job_at_once_one_does(
    small: Api, ledger: Ledger, settings: Settings
) -> None:
    def attempt(number: int) -> list[str]:
        if number % 2:
            return list(replay(small, jobIds=["job-5", "job-4", "job-3"])["replayed"])
        # Another process, with a larger queue in its settings.
        return list(
            PreviewClient.from_settings(settings).dead_letters.replay(["job-3", "job-5"]).replayed
        )

    with ThreadPoolExecutor(8) as pool:
        replayed = [job_id for done in pool.map(attempt, range(16)) for job_id in done]
    assert sorted(replayed) == ["job-3", "job-4", "job-5"]
    assert ledger.stats().waiting == 3
    for job_id in replayed:
        record = ledger.get(job_id)
        assert record is not None
        assert record.replays == 1


def test_of_many_filtered_replays_at_once_none_overfills_the_queue(
    small: Api, ledger: Ledger
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: replay(small, filter={}), range(16)))
    replayed = [job_id for answer in answers for job_id in answer["replayed"]]
    assert len(replayed) == len(set(replayed)) == 3
    assert ledger.stats().depth == 3


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("", "required")]),
        ({"limit": 5}, [("", "required")]),
        ({"jobIds": ["a"], "filter": {}}, [("", "conflict")]),
        ([], [("", "wrong-type")]),
        (None, [("", "wrong-type")]),
        ({"jobIds": "a"}, [("/jobIds", "wrong-type")]),
        ({"jobIds": None}, [("/jobIds", "wrong-type")]),
        ({"jobIds": ["x"] * 1001}, [("/jobIds", "too-many")]),
        ({"jobIds": ["a", 7, "../b", "c\n", ""]},
         [("/jobIds/1", "wrong-type"), ("/jobIds/2", "pattern"), ("/jobIds/3", "pattern"),
          ("/jobIds/4", "pattern")]),
        ({"filter": None}, [("/filter", "wrong-type")]),
        ({"filter": []}, [("/filter", "wrong-type")]),
        ({"filter": {"project": "p"}}, [("/filter/project", "unknown-field")]),
        ({"filter": {"code": "A:project:b", "projectId": "*"}},
         [("/filter/code", "pattern"), ("/filter/projectId", "pattern")]),
        ({"filter": {"code": None}}, [("/filter/code", "wrong-type")]),
        ({"filter": {"failedFrom": "yesterday", "failedUntil": 1e9}},
         [("/filter/failedFrom", "bad-format"), ("/filter/failedUntil", "wrong-type")]),
        ({"filter": {"failedFrom": "1969-01-01T00:00:00Z"}},
         [("/filter/failedFrom", "bad-parameter")]),
        ({"filter": {"failedFrom": "2026-01-01T00:00:00Z", "failedUntil": "2025-01-01T00:00:00Z"}},
         [("/filter/failedUntil", "bad-parameter")]),
        ({"filter": {}, "limit": 0}, [("/limit", "too-small")]),
        ({"filter": {}, "limit": 1001}, [("/limit", "too-large")]),
        ({"filter": {}, "limit": 1.5}, [("/limit", "wrong-type")]),
        ({"filter": {}, "limit": True}, [("/limit", "wrong-type")]),
        ({"filter": {}, "dryRun": "yes"}, [("/dryRun", "wrong-type")]),
        ({"filter": {}, "dryrun": True}, [("/dryrun", "unknown-field")]),
    ],
    ids=lambda value: orjson.dumps(value).decode()[:40] if isinstance(value, dict) else None,
)  # fmt: skip
def test_every_violation_of_a_body_is_named_and_nothing_is_done(
    buried: Api, body: Any, errors: list[tuple[str, str]]
) -> None:
    encoded = orjson.dumps(body)
    result = buried.simulate_post(REPLAY, body=encoded, content_type="application/json")
    assert result.status_code == 422, result.text
    found = sorted((item["pointer"], item["code"]) for item in result.json["errors"])
    assert found == sorted(errors)
    assert buried.simulate_get("/api/preview/dlq").json["matching"] == 3


def test_a_body_nested_beyond_all_measure_is_refused(buried: Api) -> None:
    body = b'{"filter":' + b"[" * 900 + b"]" * 900 + b"}"
    result = buried.simulate_post(REPLAY, body=body, content_type="application/json")
    assert [item["code"] for item in result.json["errors"]] == ["too-deep"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"filter":{}', b"\xff", b'{"limit":NaN}'])
def test_what_is_no_json_is_a_bad_request(api: Api, body: bytes) -> None:
    result = api.simulate_post(REPLAY, body=body, content_type="application/json")
    assert result.status_code == 400
    assert result.json["code"] == "invalid-json"


def test_another_media_type_is_refused(api: Api) -> None:
    result = api.simulate_post(REPLAY, body=b"jobIds=a", content_type="text/plain")
    assert result.status_code == 415


def test_a_body_over_the_limit_is_refused_unread(api: Api) -> None:
    environ = falcon.testing.create_environ(
        REPLAY,
        method="POST",
        headers={"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"},
    )
    body = io.BytesIO(b"[")
    answer = falcon.testing.StartResponseMock()
    length = str(MAX_PAYLOAD_BYTES + 1)
    b"".join(api.app(environ | {"wsgi.input": body, "CONTENT_LENGTH": length}, answer))
    assert answer.status == "413 Content Too Large"
    assert body.tell() == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/preview/dlq", None),
        ("GET", "/api/preview/dlq/job-1", None),
        ("DELETE", "/api/preview/dlq/job-1", None),
        ("POST", REPLAY, {"jobIds": ["job-1"]}),
        ("POST", REPLAY, {"filter": {}, "dryRun": True}),
    ],
)
def test_without_redis_every_route_says_so(
    lonely_api: Api, method: str, path: str, body: Any
) -> None:
    result = lonely_api.simulate_request(method, path, json=body)
    assert result.status_code == 503
    assert int(result.headers["retry-after"]) > 0
