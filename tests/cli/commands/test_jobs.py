from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import get_args

import pytest
from typer.testing import Result

from app.cli.commands.jobs import JobStatus
from app.client import PreviewClient
from app.ledger import STATES, Ledger, Progress
from tests.cli.conftest import Finish, begin, payload

Preview = Callable[..., Result]


def live(job_id: str = "job-1") -> dict[str, object]:
    return payload(job_id, dryRun=False)


def test_the_states_are_those_of_the_ledger() -> None:
    assert get_args(JobStatus) == STATES


@pytest.mark.parametrize(
    "command",
    [("status", "x"), ("watch", "x"), ("artifact", "x"), ("cancel", "x")],
    ids=lambda command: command[0],
)
def test_an_unknown_job_is_4(preview: Preview, command: tuple[str, ...]) -> None:
    result = preview(*command)
    assert (result.exit_code, result.stderr) == (4, "error: There is no job 'x'.\n")


@pytest.mark.parametrize(
    "command", [("status", "x"), ("jobs",), ("queue",)], ids=lambda command: command[0]
)
def test_an_absent_redis_is_5_and_named_without_its_password(
    preview: Preview, command: tuple[str, ...]
) -> None:
    result = preview(*command, REDIS_URL="redis://user:hunter2@127.0.0.1:1/0")
    assert result.exit_code == 5
    assert "127.0.0.1:1;" in result.stderr
    assert "hunter2" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_status_tells_what_is_known(
    preview: Preview, queue_client: PreviewClient, ledger: Ledger
) -> None:
    queue_client.submit(live())
    job_id, fence = begin(ledger)
    ledger.beat(job_id, fence, Progress("rendering", 30, 120))
    result = preview("status", "job-1")
    assert result.exit_code == 0
    lines = dict(line.split(":", 1) for line in result.stdout.splitlines())
    told = {name: value.strip() for name, value in lines.items()}
    assert told["status"] == "active"
    assert told["phase"] == "rendering"
    assert told["frames"] == "30 of 120"
    assert "error" not in told
    document = json.loads(preview("status", "job-1", "--json").stdout)
    assert document["progress"] == {"percent": 25.0, "framesDone": 30, "framesTotal": 120}


def test_a_completed_job_has_all_its_frames(
    preview: Preview, queue_client: PreviewClient, ledger: Ledger
) -> None:
    queue_client.submit(live())
    job_id, fence = begin(ledger)
    ledger.beat(job_id, fence, Progress("finishing", 653, 815))
    ledger.settle(job_id, fence, "completed", fields={"artifacts": []})
    assert re.search(r"frames: +815$", preview("status", "job-1").stdout, re.MULTILINE)
    document = json.loads(preview("status", "job-1", "--json").stdout)
    assert document["progress"] == {"percent": 100.0, "framesDone": 815, "framesTotal": 815}


def test_status_of_a_failed_job_has_its_error(
    preview: Preview, queue_client: PreviewClient, finish: Finish
) -> None:
    queue_client.submit(live())
    error = {"code": "asset-failed", "detail": "cover.png is\x1b[31m no picture"}
    finish("failed", error=error, warnings=["a warning"])
    result = preview("status", "job-1")
    assert "cover.png is\\x1b[31m no picture [asset-failed]" in result.stdout
    assert "a warning" in result.stdout


def test_status_lists_the_files(
    preview: Preview, queue_client: PreviewClient, finish: Finish
) -> None:
    queue_client.submit(live())
    finish("completed", files={"preview.mp4": b"v" * 1500, "poster.jpg": b"p"})
    assert "video\tpreview.mp4\t1.5 kB\n" in preview("status", "job-1").stdout


def test_a_waiting_job_is_cancelled_at_once(preview: Preview, queue_client: PreviewClient) -> None:
    queue_client.submit(live())
    result = preview("cancel", "job-1")
    assert (result.exit_code, result.stdout) == (0, "job-1 is cancelled\n")
    again = preview("cancel", "job-1", "--json")
    assert json.loads(again.stdout) == {"jobId": "job-1", "status": "cancelled"}


def test_a_running_job_is_asked_to_stop(
    preview: Preview, queue_client: PreviewClient, ledger: Ledger
) -> None:
    queue_client.submit(live())
    begin(ledger)
    result = preview("cancel", "job-1")
    assert result.stdout == "job-1 is active and stops within two seconds\n"


def test_cancelling_an_ended_job_is_7(
    preview: Preview, queue_client: PreviewClient, finish: Finish
) -> None:
    queue_client.submit(live())
    finish("completed")
    assert preview("cancel", "job-1").exit_code == 7


def test_jobs_are_listed_in_pages(preview: Preview, queue_client: PreviewClient) -> None:
    for number in range(3):
        queue_client.submit(payload(f"job-{number}"))
    first = preview("jobs", "--limit", "2")
    assert first.exit_code == 0
    rows = [line.split("\t") for line in first.stdout.splitlines()]
    assert [row[0] for row in rows] == ["JOB", "job-2", "job-1"]
    cursor = first.stderr.split()[-1]
    rest = preview("jobs", "--limit", "2", "--cursor", cursor)
    assert [line.split("\t")[0] for line in rest.stdout.splitlines()] == ["JOB", "job-0"]
    assert rest.stderr == ""


def test_jobs_are_filtered(preview: Preview, queue_client: PreviewClient) -> None:
    queue_client.submit(payload("job-a"))
    queue_client.submit(payload("job-b", projectId="other"))
    listed = json.loads(preview("jobs", "--project", "other", "--json").stdout)
    assert [job["jobId"] for job in listed["jobs"]] == ["job-b"]
    assert listed["cursor"] is None
    assert json.loads(preview("jobs", "--status", "failed", "--json").stdout)["jobs"] == []


def test_the_queue_is_counted(
    preview: Preview, queue_client: PreviewClient, ledger: Ledger
) -> None:
    queue_client.submit(payload("job-a"))
    queue_client.submit(payload("job-b"))
    begin(ledger)
    counted = json.loads(preview("queue", "--json").stdout)
    assert {name: counted[name] for name in ("waiting", "active", "total", "max")} == {
        "waiting": 1,
        "active": 1,
        "total": 2,
        "max": 20,
    }
    assert counted["workers"] == {"alive": 1, "slots": 2, "busy": 1, "resting": 0}
    lines = preview("queue").stdout
    assert "1, 1 of 2 slots busy" in lines
    assert "18 of 20" in lines
