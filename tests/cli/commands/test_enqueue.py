from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from app.client import PreviewClient
from app.ledger import Ledger
from tests.cli.conftest import Finish, begin, payload

Preview = Callable[..., Result]


def live(job_id: str = "job-1") -> dict[str, object]:
    return payload(job_id, dryRun=False)


def test_a_payload_is_queued_once(preview: Preview, payload_file: Path) -> None:
    first, again = preview("enqueue", payload_file), preview("enqueue", payload_file)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.stdout == "job-1 is queued. Follow it: preview watch job-1\n"
    assert again.stdout.startswith("job-1 already exists with this payload and is queued. ")
    assert first.stderr.startswith("warning: no worker is alive on queue "), "nobody claims it"


def test_a_worker_that_is_alive_needs_no_warning(
    preview: Preview, payload_file: Path, queue_client: PreviewClient, ledger: Ledger
) -> None:
    queue_client.submit(payload("job-0"))
    begin(ledger)
    assert preview("enqueue", payload_file).stderr == ""


@pytest.mark.parametrize("options", [(), ("--watch",)])
def test_a_payload_whose_job_failed_queues_nothing_and_names_the_ways_out(
    preview: Preview, payload_file: Path, finish: Finish, options: tuple[str, ...]
) -> None:
    preview("enqueue", payload_file)
    finish("failed", error={"code": "asset-failed", "detail": "No cover.png."})
    result = preview("enqueue", payload_file, *options)
    assert (result.exit_code, result.stdout) == (7, "")
    assert "already exists with this payload and failed: No cover.png. [asset-failed]" in (
        result.stderr
    )
    assert "Nothing was queued. Run it again: preview dlq replay job-1" in result.stderr
    anew = preview("enqueue", payload_file, "--job-id", "job-2")
    assert (anew.exit_code, anew.stdout.split(".")[0]) == (0, "job-2 is queued")


@pytest.mark.parametrize("options", [(), ("--watch",), ("--json",)])
def test_a_payload_whose_job_was_cancelled_queues_nothing(
    preview: Preview, payload_file: Path, queue_client: PreviewClient, options: tuple[str, ...]
) -> None:
    preview("enqueue", payload_file)
    queue_client.cancel("job-1")
    result = preview("enqueue", payload_file, *options)
    assert result.exit_code == 7
    assert "was cancelled. Nothing was queued." in result.stderr
    assert "--job-id" in result.stderr
    if "--json" in options:
        expected = {"jobId": "job-1", "status": "cancelled", "replayed": True}
        assert json.loads(result.stdout) == expected


@pytest.mark.parametrize("options", [(), ("--watch",)])
def test_a_payload_whose_job_completed_points_to_its_files(
    preview: Preview, queue_client: PreviewClient, finish: Finish, options: tuple[str, ...]
) -> None:
    queue_client.submit(live())
    finish("completed", files={"preview.mp4": b"video"})
    result = preview("enqueue", "-", *options, stdin=json.dumps(live()).encode())
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "job-1 already exists with this payload and completed. "
        "Fetch the video: preview artifact job-1\n"
    )


def test_enqueue_prints_json(preview: Preview, payload_file: Path) -> None:
    document = json.loads(preview("enqueue", payload_file, "--json").stdout)
    assert document == {"jobId": "job-1", "status": "queued", "replayed": False}
    document = json.loads(preview("enqueue", payload_file, "--json").stdout)
    assert document == {"jobId": "job-1", "status": "queued", "replayed": True}


def test_an_invalid_payload_is_2_with_every_error(preview: Preview) -> None:
    result = preview("enqueue", "-", stdin=b'{"jobId": 7}')
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "\n  /jobId: " in result.stderr


def test_an_unreadable_file_is_3(preview: Preview, tmp_path: Path) -> None:
    assert preview("enqueue", tmp_path).exit_code == 3


def test_a_conflict_is_7(preview: Preview, queue_client: PreviewClient) -> None:
    queue_client.submit(payload())
    changed = json.dumps(payload(dryRun=False)).encode()
    result = preview("enqueue", "-", stdin=changed)
    assert result.exit_code == 7
    assert "job-1" in result.stderr


def test_a_full_queue_is_6(preview: Preview, queue_client: PreviewClient) -> None:
    queue_client.submit(payload())
    other = json.dumps(payload("job-2")).encode()
    result = preview("enqueue", "-", stdin=other, PREVIEW_QUEUE_MAX="1")
    assert result.exit_code == 6
