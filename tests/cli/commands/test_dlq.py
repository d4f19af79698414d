"""``preview dlq``: dead letters listed, shown, purged; and what has expired."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from app.cli.ages import age
from app.client import PreviewClient
from app.errors import ErrorItem, PreviewError, RenderFailed, ValidationFailed
from app.ledger import Ledger, Retention
from tests.cli.conftest import Finish, payload
from tests.cli.terminal import Terminal

Preview = Callable[..., Result]
Bury = Callable[..., None]
WRONG = ValidationFailed("It is wrong.", errors=[ErrorItem("/steps/0", "required", "Add it.")])
AWAY = "redis://user:hunter2@127.0.0.1:1/0"


@pytest.fixture
def bury(queue_client: PreviewClient, finish: Finish) -> Bury:
    """Submit a job and let it fail for good."""

    def run(job_id: str, error: PreviewError | None = None, **changes: object) -> None:
        queue_client.submit(payload(job_id, dryRun=False, **changes))
        problem = (error or RenderFailed("It\x1b[2J broke.")).to_problem()
        assert finish("failed", error=problem) == job_id

    return run


@pytest.fixture
def age_of(ledger: Ledger) -> Callable[[str, float], None]:
    """Let a dead letter have failed so many seconds ago."""

    def run(job_id: str, seconds: float) -> None:
        back = -seconds * 1_000_000
        for key in ledger._client.keys(f"{ledger.keys['failed']}*"):
            if ledger._client.zscore(key, job_id) is not None:
                ledger._client.zincrby(key, back, job_id)
        ledger._client.hincrby(ledger.keys.job(job_id), "finished_us", int(back))

    return run


def rows(result: Result) -> list[list[str]]:
    return [line.split("\t") for line in result.stdout.splitlines()]


def names(result: Result) -> list[str]:
    header, *letters = rows(result)
    assert header == ["JOB", "PROJECT", "FAILED", "ATTEMPTS", "REPLAYS", "CODE", "DETAIL"]
    return [letter[0] for letter in letters]


def test_dead_letters_are_listed_the_last_failed_first(preview: Preview, bury: Bury) -> None:
    bury("a", WRONG)
    bury("b", projectId="other")
    result = preview("dlq", "list")
    assert (result.exit_code, names(result), result.stderr) == (0, ["b", "a"], "")
    assert rows(result)[1][3:] == ["1", "0", "render-failed", "It\\x1b[2J broke."]
    assert names(preview("dlq", "list", "--code", "render-failed")) == ["b"]
    assert names(preview("dlq", "list", "--project", "demo")) == ["a"]
    none = preview("dlq", "list", "--project", "demo", "--code", "render-failed")
    assert (names(none), none.stderr, none.exit_code) == ([], "no dead letter matches\n", 0)


def test_dead_letters_are_listed_by_age(
    preview: Preview, bury: Bury, age_of: Callable[[str, float], None]
) -> None:
    for job_id, seconds in (("week", 7 * 86_400), ("hours", 5 * 3600), ("now", 0)):
        bury(job_id)
        age_of(job_id, seconds)
    assert names(preview("dlq", "list", "--newer-than", "2d")) == ["now", "hours"]
    assert names(preview("dlq", "list", "--older-than", "90m")) == ["hours", "week"]
    assert names(preview("dlq", "list", "--newer-than", "2d", "--older-than", "1h")) == ["hours"]


def test_a_page_says_how_to_go_on(preview: Preview, bury: Bury) -> None:
    for job_id in "abc":
        bury(job_id)
    first = preview("dlq", "list", "--limit", "2")
    assert names(first) == ["c", "b"]
    assert first.stderr.startswith("3 match; next page: --cursor ")
    rest = preview("dlq", "list", "--limit", "2", "--cursor", first.stderr.split()[-1])
    assert (names(rest), rest.stderr) == (["a"], "")


def test_the_list_is_json_for_a_program(preview: Preview, bury: Bury) -> None:
    for job_id in "ab":
        bury(job_id)
    document = json.loads(preview("dlq", "list", "--limit", "1", "--json").stdout)
    assert [letter["jobId"] for letter in document["deadLetters"]] == ["b"]
    assert document["deadLetters"][0]["error"]["code"] == "render-failed"
    assert document["matching"] == 2
    assert isinstance(document["cursor"], int)


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--older-than", "3w"),
        ("list", "--older-than", "-1h"),
        ("list", "--older-than", "1.5h"),
        ("list", "--newer-than", "1d", "--older-than", "2d"),
        ("list", "--newer-than", "1d", "--older-than", "24h"),
        ("list", "--code", ""),
        ("list", "--limit", "0"),
        ("show",),
        ("purge",),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_bad_usage_is_2_and_names_what_is_wrong(
    preview: Preview, arguments: tuple[str, ...]
) -> None:
    result = preview("dlq", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("6h", 21_600), ("2d", 172_800), ("0s", 0)]
)
def test_ages_are_read(text: str, seconds: float) -> None:
    assert age(text) == seconds


def test_a_dead_letter_is_shown_with_every_violation(preview: Preview, bury: Bury) -> None:
    bury("job-1", WRONG, priority="high")
    result = preview("dlq", "show", "job-1")
    assert result.exit_code == 0
    told = dict(line.split(":", 1) for line in result.stdout.splitlines()[:-1])
    told = {name: value.strip() for name, value in told.items()}
    assert (told["priority"], told["attempts"], told["replays"]) == ("high", "1 of 5", "0")
    assert told["error"] == "It is wrong. [validation-failed]"
    assert told["payload"].endswith("shown by --json")
    assert result.stdout.endswith("\n  /steps/0: Add it. [required]\n")
    assert "preview dlq replay job-1" in result.stderr


def test_a_dead_letter_is_shown_with_its_payload_as_json(preview: Preview, bury: Bury) -> None:
    bury("job-1", WRONG)
    document: dict[str, Any] = json.loads(preview("dlq", "show", "job-1", "--json").stdout)
    assert document["payload"] == payload("job-1", dryRun=False)
    assert document["failedAt"]


def test_a_dead_letter_without_a_payload_is_shown(
    preview: Preview, bury: Bury, ledger: Ledger
) -> None:
    bury("job-1")
    ledger._client.hset(ledger.keys.job("job-1"), "message", b"\xff")
    assert "payload:  unreadable\n" in preview("dlq", "show", "job-1").stdout
    assert json.loads(preview("dlq", "show", "job-1", "--json").stdout)["payload"] is None


def test_what_is_no_dead_letter_is_4(preview: Preview, queue_client: PreviewClient) -> None:
    queue_client.submit(payload("alive"))
    for job_id in ("alive", "nobody", "../x", "\x1b"):
        assert preview("dlq", "show", job_id).exit_code == 4
    assert preview("dlq", "purge", "nobody", "--yes").exit_code == 4


def test_a_purge_in_a_pipe_needs_a_yes(
    preview: Preview, bury: Bury, queue_client: PreviewClient
) -> None:
    bury("job-1")
    refused = preview("dlq", "purge", "job-1")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    assert queue_client.dead_letters.get("job-1").state == "failed"
    done = preview("dlq", "purge", "job-1", "--yes")
    assert (done.exit_code, done.stdout) == (0, "job-1 is purged\n")
    assert preview("status", "job-1").exit_code == 4


def test_purging_a_job_that_is_no_dead_letter_is_7(
    preview: Preview, queue_client: PreviewClient
) -> None:
    queue_client.submit(payload("alive"))
    result = preview("dlq", "purge", "alive", "--yes")
    assert result.exit_code == 7
    assert queue_client.status("alive").state == "queued"


def test_a_purge_on_a_terminal_asks_first(
    variables: dict[str, str], bury: Bury, queue_client: PreviewClient
) -> None:
    bury("job-1")
    for answer, code, shown in (("n", 1, "nothing was purged"), ("y", 0, "job-1 is purged")):
        assert queue_client.dead_letters.get("job-1").state == "failed"
        terminal = Terminal("dlq", "purge", "job-1", env=variables)
        terminal.read_until("Delete job-1 (render-failed, failed ")
        terminal.type(f"{answer}\n")
        assert terminal.end() == code
        assert shown in terminal.shown
    assert queue_client.ledger.get("job-1") is None


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("show", "x"), ("replay", "x"), ("replay", "--all"), ("purge", "x", "--yes")],
    ids=" ".join,
)
def test_an_absent_redis_is_5(preview: Preview, arguments: tuple[str, ...]) -> None:
    result = preview("dlq", *arguments, REDIS_URL=AWAY)
    assert result.exit_code == 5
    assert "hunter2" not in result.stderr


def test_status_tells_of_replays(preview: Preview, bury: Bury, queue_client: PreviewClient) -> None:
    bury("job-1")
    assert "replays" not in preview("status", "job-1").stdout
    queue_client.dead_letters.replay(["job-1"])
    assert "replays:  1\n" in preview("status", "job-1").stdout


def test_a_result_that_was_kept_long_enough_is_shown_as_expired(
    preview: Preview, queue_client: PreviewClient, finish: Finish, ledger: Ledger
) -> None:
    queue_client.submit(payload(dryRun=False))
    finish("completed", files={"preview.mp4": b"video"})
    now = Retention(result_seconds=0, record_seconds=3600, dead_letter_seconds=3600, dead_letters=9)
    assert ledger.archive.sweep(now).expired == ("job-1",)
    status = preview("status", "job-1").stdout
    assert "expired:  0 s ago\n" in status
    assert "preview.mp4" not in status
    assert json.loads(preview("status", "job-1", "--json").stdout)["expiredAt"]
    fetched = preview("artifact", "job-1")
    assert fetched.exit_code == 1
    assert "under a new jobId" in fetched.stderr
    watched = preview("watch", "job-1").stdout
    assert "its files were deleted" in watched
    assert "preview artifact" not in watched
