"""``preview smoke`` and ``preview verify`` against real processes: an API and a worker."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from typer.testing import Result

from app.cli.checks.small_job import PROJECT, _checked_files, run_job
from app.cli.output.exits import CommandFailed
from app.cli.remote.api import Api
from app.client import PreviewClient
from app.http import create_app
from app.metrics import Metrics
from app.probes import probe_ledger
from app.settings import Settings
from app.storage import ArtifactStore
from tests.support.installation import API_KEY, Installation, installed


@pytest.fixture(scope="module")
def installation(
    embedded_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    with installed(embedded_url, tmp_path_factory.mktemp("installation")) as running:
        yield running


def test_a_film_is_rendered_and_every_file_compared(installation: Installation) -> None:
    done = installation.preview("smoke", installation.api, "--key-file", installation.key_file)
    assert done.exit_code == 0, done.output
    assert "all 7 files match the manifest" in done.stdout
    assert "warning" not in done.output
    jobs, _ = installation.client().jobs(project=PROJECT)
    assert any(job.job_id in done.stdout and job.state == "completed" for job in jobs)


def test_a_dry_run_as_json_names_its_job(installation: Installation) -> None:
    done = installation.preview(
        "smoke", installation.api, "--key-file", installation.key_file, "--dry-run", "--json"
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    record = installation.client().status(told["jobId"])
    assert record.dry_run
    assert told["files"] == []


def test_an_installation_that_works_is_verified(installation: Installation) -> None:
    installation.client().ledger.record_tick("scheduler")
    done = installation.preview(
        "verify",
        "--api",
        installation.api,
        "--worker",
        installation.worker,
        "--key-file",
        installation.key_file,
        "--json",
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert {check["name"] for check in told["checks"]} == {
        "worker live",
        "worker ready",
        "worker metrics",
        "worker claims",
        "worker health",
        "workers",
        "scheduler",
        "api live",
        "api ready",
        "api metrics",
        "dry run",
        "render",
    }
    assert [check for check in told["checks"] if check["level"] != "ok"] == []


def test_a_wrong_key_is_named_and_nothing_else_fails(
    installation: Installation, tmp_path: Path
) -> None:
    wrong = tmp_path / "key"
    wrong.write_text("not-a-key-of-this-api-01")
    done = installation.preview("smoke", installation.api, "--key-file", wrong)
    assert done.exit_code == 2
    assert "answers 401: Send a known API key" in done.stderr
    done = installation.preview(
        "verify",
        "--api",
        installation.api,
        "--worker",
        installation.worker,
        "--key-file",
        wrong,
        "--no-render",
    )
    assert done.exit_code == 1
    assert [line.split("  ")[0] for line in done.stdout.splitlines() if "fail " in line] == [
        "fail dry run"
    ]


def test_files_that_are_not_as_told_are_found(installation: Installation) -> None:
    with contextlib.closing(Api(installation.api, key=API_KEY)) as api:
        result = run_job(api, dry_run=False, timeout_seconds=60)
        status = api.get(f"/api/preview/job/{result.job_id}/status")
        first = status["artifacts"][0]
        lying = {**status, "artifacts": [{**first, "sha256": "0" * 64}, *status["artifacts"][1:]]}
        with pytest.raises(CommandFailed, match="video is damaged"):
            _checked_files(api, lying)
        with pytest.raises(CommandFailed, match="lists other files"):
            _checked_files(api, {**status, "artifacts": status["artifacts"][1:]})
        others = [item for item in status["artifacts"] if item["kind"] != "manifest"]
        with pytest.raises(CommandFailed, match="has no manifest"):
            _checked_files(api, {**status, "artifacts": others})


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Say nothing."""


@contextlib.contextmanager
def lonely_api(settings: Settings) -> Iterator[str]:
    """An API whose queue has no worker."""
    client = PreviewClient.from_settings(settings)
    probes = probe_ledger(settings)
    with client.ledger._client, probes._client:
        app = create_app(
            client=client,
            store=ArtifactStore(settings.artifact_url),
            settings=settings,
            metrics=Metrics(track="stable"),
            probes=probes,
        )
        with served(app) as url:
            yield url


@contextlib.contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_job_that_does_not_end_is_given_up_and_cancelled(
    settings: Settings, preview: Callable[..., Result], queue_client: PreviewClient
) -> None:
    with lonely_api(settings) as url:
        done = preview("smoke", url, "--timeout", "1")
    assert done.exit_code == 124
    assert "is still queued; it has been cancelled" in done.stderr
    jobs, _ = queue_client.jobs()
    assert [job.state for job in jobs] == ["cancelled"]


def test_a_job_that_fails_is_told_with_its_reason(
    settings: Settings, queue_client: PreviewClient
) -> None:
    with lonely_api(settings) as url, contextlib.closing(Api(url)) as api:

        def fail() -> None:
            jobs, _ = queue_client.jobs()
            queue_client.cancel(jobs[0].job_id)

        with pytest.raises(CommandFailed, match="is cancelled: no reason is on record"):
            run_job(api, dry_run=True, timeout_seconds=10, on_poll=fail)


def test_an_installation_without_workers_is_found_out(
    settings: Settings, preview: Callable[..., Result]
) -> None:
    with lonely_api(settings) as url:
        done = preview("verify", "--api", url, "--worker", url, "--timeout", "1", "--no-render")
    assert done.exit_code == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith(("fail", "warn"))]
    assert [line[5:20].strip() for line in lines] == [
        "worker claims",
        "scheduler",
        "worker health",
        "dry run",
    ]


def test_a_queue_without_redis_is_found_out(
    settings: Settings, preview: Callable[..., Result]
) -> None:
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    with lonely_api(away) as url:
        done = preview("verify", "--api", url, "--worker", url)
    assert done.exit_code == 1
    assert "fail worker ready" in done.stdout
    assert "fail worker health" in done.stdout
    assert "fail render         POST" in done.stdout
    assert "answers 503" in done.stdout


def test_a_server_of_something_else_is_told_apart(preview: Callable[..., Result]) -> None:
    def other(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        at_job = environ["PATH_INFO"].endswith("/status")
        return [b"[]" if at_job else b'{"status": "healthy", "queue": {}}']

    with served(other) as url:
        smoked = preview("smoke", url)
        verified = preview("verify", "--api", url, "--worker", url, "--no-render")
    assert (smoked.exit_code, verified.exit_code) == (1, 1)
    assert "is the address right?" in smoked.stderr
    told = [line for line in verified.stdout.splitlines() if "is the address right?" in line]
    assert [line[5:20].strip() for line in told] == ["worker health", "dry run"]
