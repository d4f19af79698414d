"""Dead letters over HTTP: listed, looked at, purged."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from app.documents import rfc3339
from app.errors import AssetFailed
from app.ledger import Admission, Ledger
from tests.http.conftest import Api, bury, start
from tests.support.payloads import payload

DLQ = "/api/preview/dlq"
BROKEN = AssetFailed("logo.png is truncated.")
#: Ids that no job can have, as they stand in a path.
HOSTILE = ["..%2F..%2Fetc", "a%00b", "%0a", "-", "x" * 129, "%F0%9F%98%80", "a%20b", "*"]


def page(api: Api, query: str = "") -> dict[str, Any]:
    result = api.simulate_get(DLQ, query_string=query)
    assert result.status_code == 200
    document: dict[str, Any] = result.json
    return document


def listed(api: Api, query: str = "") -> list[str]:
    return [letter["jobId"] for letter in page(api, query)["deadLetters"]]


def test_a_job_that_failed_is_listed_with_what_an_operator_asks(api: Api, ledger: Ledger) -> None:
    bury(api, ledger, "job-1", BROKEN, priority="high")
    api.submit(payload("alive"))
    (letter,) = page(api)["deadLetters"]
    assert (
        letter
        | {
            "jobId": "job-1",
            "projectId": "project-1",
            "requestId": "request-1",
            "priority": "high",
            "dryRun": False,
            "attempts": 1,
            "maxAttempts": 5,
            "replays": 0,
            "track": "stable",
        }
        == letter
    )
    assert letter["error"]["code"] == "asset-failed"
    assert letter["failedAt"] >= letter["createdAt"]


def test_an_empty_list_is_a_page_too(api: Api) -> None:
    assert page(api) == {
        "deadLetters": [],
        "matching": 0,
        "nextCursor": None,
        "filter": {"code": None, "projectId": None, "failedFrom": None, "failedUntil": None},
    }


def test_the_last_failed_come_first_and_are_filtered_and_counted(api: Api, ledger: Ledger) -> None:
    bury(api, ledger, "a", BROKEN)
    bury(api, ledger, "b")
    bury(api, ledger, "c", BROKEN, projectId="project-2")
    assert listed(api) == ["c", "b", "a"]
    assert listed(api, "code=asset-failed") == ["c", "a"]
    assert listed(api, "projectId=project-1") == ["b", "a"]
    assert listed(api, "code=asset-failed&projectId=project-1") == ["a"]
    assert listed(api, "code=never-heard-of") == []
    assert listed(api, "failedFrom=2020-01-01T00:00:00Z&failedUntil=2020-01-02T00:00:00Z") == []
    assert page(api, "code=asset-failed&limit=1")["matching"] == 2


def test_the_filter_is_echoed_with_its_times_in_utc(api: Api) -> None:
    query = (
        "code=render-failed&projectId=p&limit=7"
        "&failedFrom=2026-01-31T12:00:00.5%2B02:00&failedUntil=2026-02-01t00:00:00z"
    )
    assert page(api, query)["filter"] == {
        "code": "render-failed",
        "projectId": "p",
        "failedFrom": "2026-01-31T10:00:00.500Z",
        "failedUntil": "2026-02-01T00:00:00.000Z",
    }


def test_the_times_of_a_filter_bound_what_is_listed(api: Api, ledger: Ledger) -> None:
    bury(api, ledger, "job-1")
    record = ledger.get("job-1")
    assert record is not None
    assert record.finished_at is not None
    before, after = (rfc3339(record.finished_at + shift) for shift in (-0.01, 0.01))
    assert listed(api, f"failedFrom={before}&failedUntil={after}") == ["job-1"]
    assert listed(api, f"failedUntil={before}") == []
    assert listed(api, f"failedFrom={after}") == []


def test_pages_repeat_and_skip_nothing_while_letters_come_and_go(api: Api, ledger: Ledger) -> None:
    for number in range(9):
        bury(api, ledger, f"old-{number}", None if number % 3 else BROKEN)
    expected = ["old-8", "old-7", "old-5", "old-4", "old-2", "old-1"]
    seen, cursor = [], ""
    for turn in range(3):
        answer = page(api, f"code=render-failed&limit=2{cursor}")
        seen += [letter["jobId"] for letter in answer["deadLetters"]]
        cursor = f"&cursor={answer['nextCursor']}"
        bury(api, ledger, f"new-{turn}")
        # What has been seen may go meanwhile.
        assert api.simulate_delete(f"{DLQ}/{seen[-1]}").status_code == 204
    assert seen == expected
    assert answer["nextCursor"] is None


def test_one_that_was_replayed_and_failed_again_is_new(api: Api, ledger: Ledger) -> None:
    for job_id in "abc":
        bury(api, ledger, job_id)
    first = page(api, "limit=1")
    api.simulate_post(f"{DLQ}/replay", json={"jobIds": ["a"]})
    ledger.settle("a", start(ledger).fence, "failed", fields={"error": BROKEN.to_problem()})
    assert listed(api, f"limit=5&cursor={first['nextCursor']}") == ["b"]
    assert listed(api) == ["a", "c", "b"]


def test_one_that_was_replayed_since_the_index_was_read_is_left_out(
    api: Api, ledger: Ledger
) -> None:
    bury(api, ledger, "job-1")
    api.submit(payload("replayed"))
    ledger._client.zadd(ledger.keys["failed"], {"replayed": 1, "purged": 2})
    assert listed(api) == ["job-1"]


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("code=No+Code", ["/code"]),
        ("code=x:project:y", ["/code"]),
        ("code=" + "a" * 65, ["/code"]),
        ("code=a%0a", ["/code"]),
        ("projectId=../etc", ["/projectId"]),
        ("failedFrom=yesterday", ["/failedFrom"]),
        ("failedFrom=2026-01-31", ["/failedFrom"]),
        ("failedFrom=2026-02-30T00:00:00Z", ["/failedFrom"]),
        ("failedFrom=2026-01-31T12:00:00", ["/failedFrom"]),
        ("failedFrom=2026-01-31T12:00:00+02:00", ["/failedFrom"]),  # + is a space in a query
        ("failedFrom=1969-12-31T23:59:59Z", ["/failedFrom"]),
        ("failedFrom=0001-01-01T00:00:00%2B14:00", ["/failedFrom"]),
        ("failedUntil=9999-12-31T23:59:59-14:00", ["/failedUntil"]),
        ("failedUntil=2026-01-31T24:00:00Z", ["/failedUntil"]),
        ("failedUntil=1e9", ["/failedUntil"]),
        ("failedFrom=2026-02-01T00:00:00Z&failedUntil=2026-01-01T00:00:00Z", ["/failedUntil"]),
        ("limit=0", ["/limit"]),
        ("limit=201", ["/limit"]),
        ("cursor=-1", ["/cursor"]),
        ("code=*&projectId=*&failedFrom=*&failedUntil=*&cursor=*&limit=*",
         ["/failedFrom", "/code", "/projectId", "/failedUntil", "/cursor", "/limit"]),
    ],
)  # fmt: skip
def test_bad_parameters_are_all_named(api: Api, query: str, pointers: list[str]) -> None:
    result = api.simulate_get(DLQ, query_string=query)
    assert result.status_code == 422
    assert [item["pointer"] for item in result.json["errors"]] == pointers


def test_a_dead_letter_is_shown_with_the_payload_that_a_replay_sends(
    api: Api, ledger: Ledger
) -> None:
    bury(api, ledger, "job-1", BROKEN, priority="low")
    result = api.simulate_get(f"{DLQ}/job-1")
    assert result.status_code == 200
    assert result.json["error"]["detail"] == "logo.png is truncated."
    assert result.json["payload"] == payload(priority="low")


def test_the_payload_of_a_dead_letter_shows_no_password_or_signature(
    api: Api, ledger: Ledger
) -> None:
    asset = {"id": "a", "type": "image", "uri": "https://u:hunter2@cdn.example/a.png?sig=hunter3"}
    request = {"steps": [], "assets": [asset], "audio": {}}
    bury(api, ledger, "job-1", BROKEN, dryRun=True, previewRequest=request)
    result = api.simulate_get(f"{DLQ}/job-1")
    shown = result.json["payload"]["previewRequest"]
    assert shown == {**request, "assets": [{**asset, "uri": "https://cdn.example/a.png"}]}
    assert "hunter" not in result.text


@pytest.mark.parametrize(
    "message",
    [b"\xff\x00", b"{}", b"", b'{"args":[]}', b'{"args":7}', b"[1]",
     b'{"args":[' + b"[" * 100 + b"]" * 100 + b"]}"],
    ids=["binary", "empty", "nothing", "no-payload", "no-list", "a-list", "deep"],
)  # fmt: skip
def test_a_dead_letter_whose_payload_cannot_be_read_is_shown_without(
    api: Api, ledger: Ledger, message: bytes
) -> None:
    ledger.admit(Admission("poison", "m", message, "d"), limit=None)
    claimed = start(ledger)
    ledger.settle("poison", claimed.fence, "failed", fields={"error": BROKEN.to_problem()})
    result = api.simulate_get(f"{DLQ}/poison")
    assert result.status_code == 200
    assert result.json["payload"] is None


def test_a_payload_that_is_no_object_is_shown_as_it_is(api: Api, ledger: Ledger) -> None:
    message = orjson.dumps({"args": ["not a payload"]})
    ledger.admit(Admission("odd", "m", message, "d"), limit=None)
    ledger.settle("odd", start(ledger).fence, "failed", fields={"error": BROKEN.to_problem()})
    assert api.simulate_get(f"{DLQ}/odd").json["payload"] == "not a payload"


def test_what_is_no_dead_letter_is_not_found_among_them(api: Api, ledger: Ledger) -> None:
    api.submit(payload("waiting"))
    for job_id in ("waiting", "nobody", *HOSTILE):
        result = api.simulate_get(f"{DLQ}/{job_id}")
        assert result.status_code == 404, job_id
        assert result.json["code"] in ("job-not-found", "not-found")
    assert "queued" in api.simulate_get(f"{DLQ}/waiting").json["detail"]


def test_a_purged_dead_letter_is_gone_and_its_id_free(api: Api, ledger: Ledger) -> None:
    bury(api, ledger, "job-1")
    result = api.simulate_delete(f"{DLQ}/job-1")
    assert (result.status_code, result.content) == (204, b"")
    assert listed(api) == listed(api, "code=render-failed&projectId=project-1") == []
    assert api.status().status_code == 404
    assert api.simulate_delete(f"{DLQ}/job-1").status_code == 404
    assert api.submit(payload(dryRun=True)).status_code == 202


def test_a_job_that_is_no_dead_letter_cannot_be_purged(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    for state in ("queued", "active"):
        result = api.simulate_delete(f"{DLQ}/job-1")
        assert result.status_code == 409
        assert result.json["code"] == "replay-conflict"
        assert api.status().json["status"] == state
        if state == "queued":
            start(ledger)


@pytest.mark.parametrize("job_id", HOSTILE)
def test_a_purge_of_an_id_that_no_job_can_have_is_not_found(api: Api, job_id: str) -> None:
    assert api.simulate_delete(f"{DLQ}/{job_id}").status_code == 404


def test_dead_letters_are_counted_as_ever(api: Api, ledger: Ledger) -> None:
    bury(api, ledger, "job-1")
    counts = api.simulate_get("/api/preview/queue/metrics").json
    assert (counts["failed"], counts["waiting"], counts["total"]) == (1, 0, 1)
    assert api.simulate_get("/api/preview/worker/health").json["queue"]["failed"] == 1


def test_a_page_costs_the_same_among_many(api: Api, ledger: Ledger) -> None:
    bury(api, ledger, "job-1")
    far = (time.time() - 3600) * 1_000_000
    # Only the index: what is not on the page is not read.
    ledger._client.zadd(ledger.keys["failed"], {f"x-{n}": far + n for n in range(20_000)})
    ledger._client.config_resetstat()
    answer = page(api, "limit=1")
    assert (listed(api, "limit=1"), answer["matching"]) == (["job-1"], 20_001)
    commands = ledger._client.info("commandstats")
    assert set(commands) <= {
        "cmdstat_zrevrangebyscore",
        "cmdstat_zcount",
        "cmdstat_hmget",
        "cmdstat_info",
        "cmdstat_config|resetstat",
    }
    assert commands["cmdstat_hmget"]["calls"] == 2
