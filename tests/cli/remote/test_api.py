from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from app.cli.checks.service import claims, health, metrics, parse_metrics, scheduler
from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.remote.api import MAX_ANSWER_BYTES, Answer, Api, _expected, read_key
from tests.support.https_server import HttpsServer, answer

NOW = 1_800_000_000.0


@pytest.fixture
def server() -> Iterator[HttpsServer]:
    with HttpsServer(tls=None).running() as running:
        yield running


@pytest.fixture
def api(server: HttpsServer) -> Iterator[Api]:
    with contextlib.closing(Api(f"http://127.0.0.1:{server.port}/", key="hunter2")) as made:
        yield made


def test_a_redirect_to_a_store_is_followed_without_the_key(server: HttpsServer, api: Api) -> None:
    with HttpsServer(tls=None).running() as store:
        store.routes["/bucket/file?signature=x"] = answer(b"content")
        place = f"http://127.0.0.1:{store.port}/bucket/file?signature=x"
        server.routes["/file"] = answer(status=307, location=place)
        assert api.digest("/file") == (7, hashlib.sha256(b"content").hexdigest())
        assert api.ask("GET", "/file").body == b"content"
        assert ["authorization" in request.headers for request in store.seen] == [False, False]
    assert server.seen[0].headers["authorization"] == "Bearer hunter2"


def test_a_circle_of_redirects_ends(server: HttpsServer, api: Api) -> None:
    server.routes["/file"] = answer(status=302, location="/file")
    with pytest.raises(CommandFailed, match="redirects more than 3 times"):
        api.digest("/file")


def test_a_redirect_that_leads_nowhere_is_one_line(server: HttpsServer, api: Api) -> None:
    server.routes["/file"] = answer(status=302, location="ftp://elsewhere/file")
    with pytest.raises(CommandFailed, match="ftp"):
        api.digest("/file")


def test_a_file_that_is_gone_is_named(server: HttpsServer, api: Api) -> None:
    server.routes["/file"] = answer(status=410)
    with pytest.raises(CommandFailed, match="/file answers 410"):
        api.digest("/file")


def test_an_answer_without_end_is_cut_off(server: HttpsServer, api: Api) -> None:
    server.routes["/livez"] = answer(b"x" * (MAX_ANSWER_BYTES + 1))
    with pytest.raises(CommandFailed, match="too long"):
        api.ask("GET", "/livez")


def test_a_server_that_hangs_up_is_one_line(server: HttpsServer, api: Api) -> None:
    server.routes["/livez"] = lambda _connection, _request: None
    with pytest.raises(CommandFailed, match=r"http://127\.0\.0\.1:\d+ does not answer: "):
        api.ask("GET", "/livez")


@pytest.mark.parametrize(
    ("status", "body", "told", "code"),
    [
        (429, b'{"detail": "full of jobs"}', "full of jobs", ExitCode.QUEUE_FULL),
        (503, b'{"title": "away"}', "away", ExitCode.QUEUE_UNAVAILABLE),
        (422, b"{}", "not JSON", ExitCode.INVALID),
        (502, b"<html>", "not JSON", ExitCode.FAILED),
        (200, b"<html>", "not JSON", ExitCode.FAILED),
    ],
)
def test_a_refusal_has_its_reason_and_code(
    status: int, body: bytes, told: str, code: ExitCode
) -> None:
    with pytest.raises(CommandFailed, match=told) as failed:
        _expected(Answer(status, body), "GET /")
    assert failed.value.code == code


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http:///x"])
def test_what_is_no_url_is_refused(url: str, preview: Callable[..., Result]) -> None:
    done = preview("smoke", url)
    assert done.exit_code == 2
    assert "is not an http:// or https:// URL" in done.stderr


def test_a_password_in_a_url_is_refused_and_not_repeated(preview: Callable[..., Result]) -> None:
    done = preview("smoke", "http://user:hunter2@127.0.0.1")
    assert done.exit_code == 2
    assert "hunter2" not in done.output


@pytest.mark.parametrize("url", [["http://127.0.0.1:1"], []])
def test_nobody_at_home_is_one_line(url: list[str], preview: Callable[..., Result]) -> None:
    done = preview("smoke", *url, PREVIEW_API_PORT="1")
    assert done.exit_code == 5
    assert done.stderr.startswith(
        "error: http://127.0.0.1:1 does not answer: connection refused; is it running"
    )
    assert len(done.stderr.splitlines()) == 1


def test_nobody_at_home_fails_every_check_of_this_machine(preview: Callable[..., Result]) -> None:
    done = preview("verify", PREVIEW_API_PORT="1", HEALTH_PORT="2")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "0 ok, 0 warnings, 7 failed"
    assert "fail worker health  http://127.0.0.1:2 does not answer: " in done.stdout
    assert "fail dry run        http://127.0.0.1:1 does not answer: " in done.stdout


def test_the_key_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("  a-key \nsomething else\n")
    assert read_key(file) == "a-key"
    assert read_key(None) == ""
    file.write_text("\n")
    with pytest.raises(CommandFailed, match="has no key"):
        read_key(file)
    with pytest.raises(CommandFailed, match="cannot read") as failed:
        read_key(tmp_path / "absent")
    assert failed.value.code == ExitCode.UNREADABLE


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("", "fail"),
        (f"preview_worker_last_claim_seconds{{track=\"stable\"}} {NOW - 1}", "ok"),
        (f"preview_worker_last_claim_seconds{{track=\"stable\"}} {NOW - 31}", "fail"),
        ("preview_worker_last_claim_seconds 0", "fail"),
    ],
)  # fmt: skip
def test_claims_that_nobody_answers_are_a_failure(text: str, level: str) -> None:
    assert claims(parse_metrics(text), now=NOW).level == level


@pytest.mark.parametrize(("age", "level"), [(None, "warn"), (60, "ok"), (181, "fail")])
def test_a_scheduler_that_stands_still_is_a_failure(age: float | None, level: str) -> None:
    text = "" if age is None else f"preview_scheduler_last_tick_seconds {NOW - age}"
    assert scheduler(parse_metrics(text), now=NOW).level == level


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, b"preview_redis_up 1\n", "missing: preview_dead_letters, "),
        (200, b"<html>\n", "cannot be parsed"),
        (500, b"", "answers 500"),
    ],
)
def test_metrics_that_are_none_are_a_failure(
    server: HttpsServer, api: Api, status: int, body: bytes, told: str
) -> None:
    server.routes["/metrics"] = answer(body, status=status)
    (finding,) = metrics(api, "api")
    assert finding.level == "fail"
    assert told in finding.detail


def test_while_redis_is_away_neither_missing_gauges_nor_the_scheduler_are_blamed(
    server: HttpsServer, api: Api
) -> None:
    server.routes["/metrics"] = answer(b"preview_redis_up 0\npreview_jobs_failed_total 0\n")
    found = list(metrics(api, "worker"))
    assert [(finding.name, finding.level) for finding in found] == [
        ("worker metrics", "fail"),
        ("worker claims", "fail"),
    ]
    assert "Redis gives it no answer" in found[0].detail


def test_another_program_is_no_worker(server: HttpsServer, api: Api) -> None:
    server.routes["/api/preview/worker/health"] = answer(b"hello")
    (finding,) = health(api, "worker")
    assert finding.level == "fail"
    assert "no health document" in finding.detail


def test_the_clock_of_the_checks_is_that_of_the_metrics() -> None:
    text = f"preview_worker_last_claim_seconds {time.time()}"
    assert claims(parse_metrics(text), now=time.time()).level == "ok"
