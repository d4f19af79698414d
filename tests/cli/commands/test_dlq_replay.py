"""``preview dlq replay``: dead letters queued again, by name or by filter."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from app.cli.output.exits import ExitCode
from app.cli.output.replays import REASONS
from app.client import PreviewClient
from app.dead_letters import SKIP_REASONS
from app.errors import AssetFailed, RenderFailed
from app.ledger import DeadLetterFilter, Ledger
from tests.cli.conftest import Finish, payload
from tests.cli.terminal import Terminal

Preview = Callable[..., Result]


@pytest.fixture
def buried(queue_client: PreviewClient, finish: Finish) -> PreviewClient:
    """A client of a queue with the dead letters a (asset-failed), b and c, in this order."""
    for job_id, error in (
        ("a", AssetFailed("logo.png is truncated.")),
        ("b", RenderFailed("It broke.")),
        ("c", RenderFailed("It broke.")),
    ):
        queue_client.submit(payload(job_id, dryRun=False))
        assert finish("failed", error=error.to_problem()) == job_id
    return queue_client


def dead(client: PreviewClient) -> set[str]:
    return {record.job_id for record in client.dead_letters.page(DeadLetterFilter())[0]}


def test_every_reason_has_words_and_a_code() -> None:
    assert set(REASONS) == set(SKIP_REASONS)


def test_named_jobs_are_replayed_at_once(preview: Preview, buried: PreviewClient) -> None:
    result = preview("dlq", "replay", "c", "a")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "c queued again\na queued again\n"
    assert dead(buried) == {"b"}


@pytest.mark.parametrize(
    ("jobs", "code", "reasons"),
    [
        (["nobody"], ExitCode.NO_SUCH_JOB, ["job-not-found"]),
        (["alive"], ExitCode.CONFLICT, ["replay-conflict"]),
        (["a", "alive"], ExitCode.CONFLICT, ["replay-conflict"]),
        (["nobody", "alive"], ExitCode.FAILED, ["job-not-found", "replay-conflict"]),
        (["a", "b", "c"], ExitCode.QUEUE_FULL, ["queue-full"]),
    ],
)
def test_jobs_that_were_not_replayed_are_an_error_with_its_reason(
    preview: Preview, buried: PreviewClient, jobs: list[str], code: int, reasons: list[str]
) -> None:
    buried.submit(payload("alive"))
    result = preview("dlq", "replay", *jobs, PREVIEW_QUEUE_MAX="2")
    assert result.exit_code == code
    lines = result.stderr.splitlines()
    assert [line.split("[")[1].rstrip("]") for line in lines] == reasons
    assert buried.queue().depth <= 2


def test_a_lost_message_is_1(preview: Preview, buried: PreviewClient, ledger: Ledger) -> None:
    ledger._client.hdel(ledger.keys.job("a"), "message")
    result = preview("dlq", "replay", "a")
    assert result.exit_code == 1
    assert "[message-lost]" in result.stderr


def test_of_many_jobs_with_one_reason_a_few_are_named(
    preview: Preview, buried: PreviewClient
) -> None:
    result = preview("dlq", "replay", *(f"x-{number}" for number in range(9)))
    assert result.stderr == (
        "error: not replayed: x-0, x-1, x-2, x-3, x-4 and 4 more: "
        "there is no such job [job-not-found]\n"
    )


def test_a_filtered_replay_only_shows_what_it_would_do(
    preview: Preview, buried: PreviewClient
) -> None:
    result = preview("dlq", "replay", "--code", "render-failed", "--limit", "1")
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["JOB", "b"]
    assert "1 of 2 that match" in result.stderr
    assert "Nothing was done. To replay them, repeat the command with --yes." in result.stderr
    assert "room" not in result.stderr
    assert dead(buried) == {"a", "b", "c"}
    assert buried.queue().depth == 0


def test_a_dry_run_says_what_room_the_queue_has(preview: Preview, buried: PreviewClient) -> None:
    buried.submit(payload("alive"))
    result = preview("dlq", "replay", "--all", PREVIEW_QUEUE_MAX="2")
    assert "The queue has room for 1 of them now." in result.stderr


def test_a_dry_run_on_a_terminal_can_be_read(
    variables: dict[str, str], buried: PreviewClient
) -> None:
    terminal = Terminal("dlq", "replay", "--all", env=variables)
    assert terminal.end() == 0
    assert "\t" not in terminal.shown
    assert "logo.png is truncated." in terminal.shown
    assert "3 of 3 that match would be queued again." in terminal.shown
    assert len(dead(buried)) == 3


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--all",), set()),
        (("--all", "--limit", "2"), {"c"}),
        (("--code", "asset-failed"), {"b", "c"}),
        (("--project", "demo", "--code", "render-failed"), {"a"}),
        (("--newer-than", "1h"), set()),
        (("--older-than", "1h"), {"a", "b", "c"}),
        (("--project", "other"), {"a", "b", "c"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_filtered_replay_is_done_with_a_yes(
    preview: Preview, buried: PreviewClient, options: tuple[str, ...], left: set[str]
) -> None:
    result = preview("dlq", "replay", *options, "--yes")
    assert result.exit_code == 0
    assert dead(buried) == left
    assert len(result.stdout.splitlines()) == 3 - len(left)


def test_a_replay_is_json_for_a_program(preview: Preview, buried: PreviewClient) -> None:
    planned = json.loads(preview("dlq", "replay", "--all", "--json").stdout)
    expected = {"replayed": ["a", "b", "c"], "skipped": [], "dryRun": True, "matching": 3}
    assert planned == expected
    assert len(dead(buried)) == 3
    done = preview("dlq", "replay", "a", "nobody", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout) == {
        "replayed": ["a"],
        "skipped": [{"jobId": "nobody", "reason": "job-not-found"}],
        "dryRun": False,
    }


def test_nothing_that_matches_is_no_error(preview: Preview, buried: PreviewClient) -> None:
    result = preview("dlq", "replay", "--project", "other")
    assert (result.exit_code, result.stderr) == (0, "no dead letter matches\n")


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--yes",),
        ("--limit", "5"),
        ("a", "--all"),
        ("a", "--code", "render-failed"),
        ("--all", "--code", "render-failed"),
        ("a", "--all", "--code", "render-failed"),
        ("a", "--limit", "1"),
        ("--all", "--limit", "0"),
        ("--all", "--limit", "1001"),
        # What a script's unset variables come to must not mean all of them.
        ("--code", "", "--yes"),
        ("--project", "", "--yes"),
        ("--older-than", "", "--yes"),
        ("--newer-than", "1h", "--older-than", "2h", "--yes"),
    ],
    ids=" ".join,
)
def test_what_is_not_clear_is_2_and_does_nothing(
    preview: Preview, buried: PreviewClient, options: tuple[str, ...]
) -> None:
    result = preview("dlq", "replay", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr
    assert len(dead(buried)) == 3
