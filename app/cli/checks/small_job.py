"""One small job through a running installation, checked from outside."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.remote.answers import expected_of
from app.cli.remote.api import Api

#: Seconds between two status requests.
POLL_SECONDS: Final = 0.2
#: ``projectId`` of these jobs, so that a list can tell them from real ones.
PROJECT: Final = "smoke-test"

_JOB = "/api/preview/job"


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """What a job came to.

    Attributes:
        job_id: The job.
        seconds: From the submission to its end as seen from here.
        files: Kind, bytes and SHA-256 of each file, all of them fetched and compared.
        warnings: What the renderer did not like.
    """

    job_id: str
    seconds: float
    files: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...]


def smoke_payload(*, dry_run: bool) -> dict[str, Any]:
    """Return a payload of a new ``jobId``: one step of two seconds, in a small picture."""
    name = time.strftime("smoke-%Y%m%d-%H%M%S-") + secrets.token_hex(3)
    return {
        "jobId": name,
        "projectId": PROJECT,
        "requestId": name,
        "previewRequest": {
            "title": "Smoke test",
            "steps": [{"id": "one", "text": "Place the board.", "durationSec": 2}],
            "assets": [],
            "audio": {},
            "options": {"resolution": "320x180", "fps": 24, "thumbnails": 1},
        },
        "dryRun": dry_run,
    }


def run_job(
    api: Api,
    *,
    dry_run: bool,
    timeout_seconds: float,
    on_poll: Callable[[], None] = lambda: None,
) -> SmokeResult:
    """Submit a job, wait until it ends, and compare every file with its description.

    A job that is given up is cancelled.

    Args:
        api: The API.
        dry_run: Whether it is planned only.
        timeout_seconds: When to give up.
        on_poll: Called before each look; what it raises ends the wait.

    Raises:
        CommandFailed: The job was refused, failed or is not there in time, or a file is
            not as the manifest says.
    """
    payload = smoke_payload(dry_run=dry_run)
    began = time.monotonic()
    with expected_of(api.url):
        api.post(_JOB, payload)
        status = _ended(api, payload["jobId"], until=began + timeout_seconds, on_poll=on_poll)
        seconds = time.monotonic() - began
        return _result(api, status, seconds=seconds, dry_run=dry_run)


def _ended(api: Api, job_id: str, *, until: float, on_poll: Callable[[], None]) -> dict[str, Any]:
    try:
        return _wait(api, job_id, until=until, on_poll=on_poll)
    except BaseException:
        with contextlib.suppress(CommandFailed):
            api.post(f"{_JOB}/{job_id}/cancel", {})
        raise


def _result(api: Api, status: Mapping[str, Any], *, seconds: float, dry_run: bool) -> SmokeResult:
    job_id = status["jobId"]
    if status["status"] != "completed":
        error = status.get("error") or {}
        reason = error.get("detail", "no reason is on record")
        code = error.get("code", "unknown")
        raise CommandFailed(f"{job_id} is {status['status']}: {reason} [{code}]")
    if dry_run:
        if not isinstance(status.get("plan"), dict):
            raise CommandFailed(f"{job_id} completed as a dry run without a plan")
        return SmokeResult(job_id, seconds, (), ())
    files = _checked_files(api, status)
    return SmokeResult(job_id, seconds, files, tuple(status.get("warnings", ())))


def _wait(api: Api, job_id: str, *, until: float, on_poll: Callable[[], None]) -> dict[str, Any]:
    while True:
        on_poll()
        status: dict[str, Any] = api.get(f"{_JOB}/{job_id}/status")
        if status["status"] in ("completed", "failed", "cancelled"):
            return status
        if time.monotonic() >= until:
            raise CommandFailed(
                f"{job_id} is still {status['status']}; it has been cancelled", ExitCode.TIMEOUT
            )
        time.sleep(POLL_SECONDS)


def _checked_files(api: Api, status: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Fetch every file, compare it with the status, and all of them with the manifest."""
    artifacts = status["artifacts"]
    told = Counter((item["bytes"], item["sha256"]) for item in artifacts)
    for item in artifacts:
        size, digest = api.digest(item["url"])
        if (size, digest) != (item["bytes"], item["sha256"]):
            raise CommandFailed(
                f"{item['kind']} is damaged: {size} bytes with SHA-256 {digest}, "
                f"not {item['bytes']} with {item['sha256']}"
            )
    manifest = next((item for item in artifacts if item["kind"] == "manifest"), None)
    if manifest is None:
        raise CommandFailed(f"{status['jobId']} has no manifest")
    told[(manifest["bytes"], manifest["sha256"])] -= 1  # it does not list itself
    listed = Counter(
        (item["bytes"], item["sha256"])
        for item in api.get(f"{_JOB}/{status['jobId']}/artifact?kind=manifest")["files"]
    )
    if +told != listed:
        raise CommandFailed(f"{status['jobId']}: the manifest lists other files than the status")
    kept = ("kind", "bytes", "sha256")
    return tuple({name: item[name] for name in kept} for item in artifacts)
