from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app.documents import rfc3339
from app.errors import RenderFailed
from app.ledger import Ledger, Retention
from app.settings import Settings
from app.storage import ArtifactStore
from tests.http.conftest import FILES, Api, start
from tests.support.payloads import payload

VIDEO = FILES["video"][2]
SIZE = len(VIDEO)
JSON_WANTED = {"Accept": "application/json"}
TAG = f'"{hashlib.sha256(VIDEO).hexdigest()}"'


@pytest.fixture
def done(api: Api, complete: Callable[[], None]) -> Api:
    """The application with one finished job."""
    api.submit(payload())
    complete()
    return api


def test_the_video_is_sent_whole(done: Api) -> None:
    result = done.artifact()
    assert result.status_code == 200
    assert result.content == VIDEO
    assert result.headers["content-type"] == "video/mp4"
    assert result.headers["content-length"] == str(SIZE)
    assert result.headers["etag"] == TAG
    assert result.headers["accept-ranges"] == "bytes"
    assert result.headers["x-content-type-options"] == "nosniff"
    assert result.headers["cache-control"] == "private, no-cache"
    assert result.headers["content-disposition"] == 'inline; filename="job-1-preview.mp4"'


@pytest.mark.parametrize("kind", list(FILES))
def test_each_kind_of_file_is_served(done: Api, kind: str) -> None:
    _, media_type, content = FILES[kind]
    result = done.artifact(f"kind={kind}")
    assert result.content == content
    assert result.headers["content-type"] == media_type


def test_a_file_can_be_saved_under_a_safe_name(api: Api, complete: Callable[[], None]) -> None:
    api.submit(payload("a:b.c"))
    complete()
    path = "/api/preview/job/a:b.c/artifact"
    result = api.simulate_get(path, query_string="kind=thumbnail-1&disposition=attachment")
    assert result.headers["content-disposition"] == 'attachment; filename="a-b.c-1.jpg"'


@pytest.mark.parametrize(
    ("header", "start_at", "end_at"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=700000-", 700000, SIZE),
        ("bytes=-5", SIZE - 5, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=5-{SIZE * 2}", 5, SIZE),
        ("Bytes=1-2", 1, 3),
    ],
)
def test_one_range_is_sent_as_a_part(done: Api, header: str, start_at: int, end_at: int) -> None:
    result = done.artifact(headers={"Range": header})
    assert result.status_code == 206
    assert result.headers["content-range"] == f"bytes {start_at}-{end_at - 1}/{SIZE}"
    assert result.headers["content-length"] == str(end_at - start_at)
    assert result.content == VIDEO[start_at:end_at]
    assert result.headers["etag"] == TAG


@pytest.mark.parametrize(
    "header", ["bytes=0-1,5-6", "seconds=0-1", "bytes=", "bytes=-", "bytes=9-3", "junk", ""]
)
def test_what_is_no_single_range_gets_the_whole_file(done: Api, header: str) -> None:
    result = done.artifact(headers={"Range": header})
    assert result.status_code == 200
    assert result.content == VIDEO


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", "bytes=999999999-", "bytes=-0"])
def test_a_range_outside_the_file_is_refused_with_its_size(done: Api, header: str) -> None:
    result = done.artifact(headers={"Range": header})
    assert result.status_code == 416
    assert result.json["code"] == "range-not-satisfiable"
    assert result.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (TAG, 206),
        ('"another"', 200),
        (f"W/{TAG}", 200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 200),
    ],
)
def test_a_part_is_sent_only_of_the_file_that_the_client_has(
    done: Api, condition: str, status: int
) -> None:
    result = done.artifact(headers={"Range": "bytes=0-9", "If-Range": condition})
    assert result.status_code == status


@pytest.mark.parametrize("known", [TAG, f"W/{TAG}", "*", f'"x", {TAG}'])
def test_a_file_that_the_client_has_is_not_sent_again(done: Api, known: str) -> None:
    result = done.artifact(headers={"If-None-Match": known, "Range": "bytes=0-9"})
    assert result.status_code == 304
    assert result.content == b""
    assert result.headers["etag"] == TAG


def test_head_tells_the_whole_size_even_with_a_range(done: Api) -> None:
    path = "/api/preview/job/job-1/artifact"
    result = done.simulate_head(path, headers={"Range": "bytes=0-9"})
    assert result.status_code == 200
    assert result.headers["content-length"] == str(SIZE)
    assert result.headers["etag"] == TAG
    assert result.content == b""


@pytest.mark.parametrize(
    "accept", ["application/json", "application/json, text/plain;q=0.5", "application/json, */*"]
)
def test_a_client_that_asks_for_json_gets_a_url(done: Api, accept: str) -> None:
    result = done.artifact("kind=captions.vtt", headers={"Accept": accept})
    assert result.status_code == 200
    finished = datetime.fromisoformat(done.status().json["finishedAt"])
    assert result.json == {
        "url": "http://falconframework.org/api/preview/job/job-1/artifact?kind=captions.vtt",
        "expiresAt": rfc3339((finished + timedelta(hours=72)).timestamp()),
    }
    assert result.headers["vary"] == "Accept"
    assert result.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "accept",
    ["*/*", "video/mp4", "video/mp4, application/json;q=0.5", "application/json;q=0, */*",
     "application/json;q=much"],
)  # fmt: skip
def test_any_other_client_gets_the_file(done: Api, accept: str) -> None:
    assert done.artifact(headers={"Accept": accept}).content == VIDEO


def test_a_file_that_is_json_is_sent_to_a_client_that_asks_for_json(done: Api) -> None:
    result = done.artifact("kind=manifest", headers={"Accept": "application/json"})
    assert result.json == {"files": []}


def test_a_job_that_has_not_ended_asks_to_come_back(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    for state in ("queued", "active"):
        result = api.artifact()
        assert result.status_code == 409
        assert result.json["code"] == "artifact-not-ready"
        assert result.json["retryable"] is True
        assert state in result.json["detail"]
        assert int(result.headers["retry-after"]) > 0
        if state == "queued":
            start(ledger)


def test_a_job_that_ended_badly_does_not_ask_to_come_back(api: Api, ledger: Ledger) -> None:
    api.submit(payload())
    claimed = start(ledger)
    error = RenderFailed("It failed.").to_problem()
    ledger.settle("job-1", claimed.fence, "failed", fields={"error": error})
    result = api.artifact()
    assert result.status_code == 409
    assert result.json["retryable"] is False
    assert "failed" in result.json["detail"]
    assert "retry-after" not in result.headers


def test_a_cancelled_job_has_no_files(api: Api) -> None:
    api.submit(payload())
    api.simulate_post("/api/preview/job/job-1/cancel")
    result = api.artifact()
    assert result.status_code == 409
    assert "cancelled" in result.json["detail"]


def test_a_dry_run_never_has_files(api: Api, ledger: Ledger) -> None:
    api.submit(payload(dryRun=True))
    assert api.artifact().status_code == 404
    claimed = start(ledger)
    ledger.settle("job-1", claimed.fence, "completed", fields={"plan": {"frames": 0}})
    result = api.artifact()
    assert result.status_code == 404
    assert "dry run" in result.json["detail"]
    assert api.status().json["plan"] == {"frames": 0}


def test_a_file_that_this_preview_does_not_have_is_not_found(done: Api) -> None:
    result = done.artifact("kind=chapters")
    assert result.status_code == 404
    assert "chapters" in result.json["detail"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("kind=source", "/kind"),
        ("kind=../../etc/passwd", "/kind"),
        ("kind=thumbnail-x", "/kind"),
        ("kind=captions.de.mp4", "/kind"),
        ("kind=captions.de.vtt%0A", "/kind"),
        ("kind=captions.DE.vtt", "/kind"),
        ("disposition=evil", "/disposition"),
    ],
)
def test_a_kind_that_does_not_exist_is_named(done: Api, query: str, pointer: str) -> None:
    result = done.artifact(query)
    assert result.status_code == 422
    assert [item["pointer"] for item in result.json["errors"]] == [pointer]


@pytest.fixture
def expired(done: Api, ledger: Ledger) -> Api:
    """The application with one job whose files have been kept long enough."""
    now = Retention(
        result_seconds=0, record_seconds=3600, dead_letter_seconds=3600, dead_letters=100
    )
    assert ledger.archive.sweep(now).expired == ("job-1",)
    return done


def test_files_that_were_kept_long_enough_are_gone_and_it_is_said_what_to_do(expired: Api) -> None:
    expired_at = expired.status().json["expiredAt"]
    for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": TAG}, JSON_WANTED):
        result = expired.artifact(headers=headers)
        assert result.status_code == 410
        assert result.json["code"] == "artifact-expired"
        assert result.json["retryable"] is False
        assert expired_at in result.json["detail"]
        assert "new jobId" in result.json["detail"]
    head = expired.simulate_head("/api/preview/job/job-1/artifact")
    assert (head.status_code, head.content) == (410, b"")


def test_a_file_that_never_was_is_not_said_to_have_expired(expired: Api) -> None:
    assert expired.artifact("kind=chapters").status_code == 404


def test_the_status_of_a_job_whose_files_are_gone_offers_none(expired: Api) -> None:
    document = expired.status().json
    assert document["status"] == "completed"
    assert document["artifacts"] == []
    assert document["expiredAt"] >= document["finishedAt"]


def test_a_file_that_was_swept_has_expired(done: Api, store: ArtifactStore) -> None:
    store.delete_prefix("job-1")
    for headers in ({}, {"Range": "bytes=0-1"}, JSON_WANTED):
        result = done.artifact(headers=headers)
        assert result.status_code == 410
        assert result.json["code"] == "artifact-expired"
        assert "etag" not in result.headers


def test_a_file_of_another_size_is_not_passed_off_as_the_one_that_was_made(
    done: Api, settings: Settings
) -> None:
    (found,) = (settings.data_dir / "artifacts").rglob("preview.mp4")
    found.write_bytes(b"short")
    assert done.artifact().status_code == 410
