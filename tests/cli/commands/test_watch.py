from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from app.client import PreviewClient
from app.ledger import Ledger, Progress
from app.settings import Settings
from tests.cli.conftest import Finish, begin, payload
from tests.conftest import wait_until

Preview = Callable[..., Result]


def live(job_id: str = "job-1") -> dict[str, object]:
    return payload(job_id, dryRun=False)


def test_watch_shows_the_job_until_it_ends(
    preview: Preview, queue_client: PreviewClient, ledger: Ledger, settings: Settings
) -> None:
    queue_client.submit(live())
    job_id, fence = begin(ledger)
    ledger.beat(job_id, fence, Progress("rendering", 60, 120))

    def end() -> None:
        ledger.settle(job_id, fence, "completed", fields={"artifacts": [], "warnings": ["odd"]})

    timer = threading.Timer(0.5, end)
    timer.start()
    result = preview("watch", "job-1")
    timer.join()
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == ["job-1: rendering 50 % 60/120 frames", "job-1: completed"]
    assert lines[-1] == "Fetch the video: preview artifact job-1"
    assert result.stderr == "  warning: odd\n"


def test_watching_a_failed_job_is_1(
    preview: Preview, queue_client: PreviewClient, finish: Finish
) -> None:
    queue_client.submit(live())
    finish("failed", error={"code": "asset-failed", "detail": "No cover.png."})
    result = preview("watch", "job-1")
    assert result.exit_code == 1
    assert result.stderr == "error: job-1 failed: No cover.png. [asset-failed]\n"


def test_watching_a_cancelled_job_is_1(preview: Preview, queue_client: PreviewClient) -> None:
    queue_client.submit(live())
    queue_client.cancel("job-1")
    result = preview("watch", "job-1", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["status"] == "cancelled"
    assert result.stderr == "error: job-1 was cancelled\n"


def test_a_watch_that_runs_out_of_time_is_124(
    preview: Preview, queue_client: PreviewClient
) -> None:
    queue_client.submit(live())
    result = preview("watch", "job-1", "--timeout", "0.3")
    assert result.exit_code == 124
    assert "the job keeps running" in result.stderr


def test_enqueue_and_watch_of_a_dry_run(
    preview: Preview, payload_file: Path, ledger: Ledger, finish: Finish
) -> None:
    def work() -> None:
        wait_until(lambda: ledger.stats().waiting, "the job is queued")
        finish("completed")

    worker = threading.Thread(target=work)
    worker.start()
    result = preview("enqueue", payload_file, "--watch")
    worker.join()
    assert result.exit_code == 0
    assert result.stdout.endswith("dry run: nothing was rendered\n")
