"""``preview enqueue`` and ``preview watch``: a job from its payload to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.clients import preview_client
from app.cli.options import AsJson, AsJsonLines, JobId, PayloadFile
from app.cli.output.console import print_json, short_path
from app.cli.output.exits import CommandFailed, ExitCode, warn
from app.cli.output.follow import ended, follow, left_running, report_end, require_completed
from app.cli.payloads import read_payload
from app.cli.signals import Signals
from app.cli.stack.state import running_stack, settings_here
from app.redis_url import parse_redis_url
from app.settings import Settings

if TYPE_CHECKING:
    from app.client import PreviewClient
    from app.ledger import Record


def enqueue(
    file: PayloadFile,
    new_id: Annotated[
        str | None,
        typer.Option("--job-id", metavar="ID", help="Use this jobId instead of the payload's."),
    ] = None,
    watch_it: Annotated[
        bool, typer.Option("--watch", help="Show progress until the job ends.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Queue a payload.

    Sending the same payload again does not queue a second job: the jobId identifies it. If that
    job has failed or was cancelled, nothing is queued and the exit code is 7.
    """
    payload = read_payload(file)
    if new_id is not None and isinstance(payload, dict):
        payload["jobId"] = new_id
    settings = settings_here()
    client = preview_client(settings)
    submission = client.submit(payload)
    job_id = submission.job_id
    existing = client.status(job_id) if submission.replayed else None
    if existing is not None and existing.finished_at is not None:
        _report_existing(existing, as_json=as_json)
        return
    _warn_without_worker(client, settings)
    if watch_it:
        _watch(client, settings, job_id, as_json=as_json)
    elif as_json:
        status = existing.state if existing else "queued"
        print_json({"jobId": job_id, "status": status, "replayed": submission.replayed})
    elif existing:
        typer.echo(
            f"{job_id} already exists with this payload and is {existing.state}. "
            f"Follow it: preview watch {job_id}"
        )
    else:
        typer.echo(f"{job_id} is queued. Follow it: preview watch {job_id}")


def _report_existing(record: Record, *, as_json: bool) -> None:
    """Say what became of a job that had ended before its payload was sent again.

    Raises:
        CommandFailed: There is no result, and nothing was queued.
    """
    job_id = record.job_id
    if as_json:
        print_json({"jobId": job_id, "status": record.state, "replayed": True})
    known = f"{job_id} already exists with this payload and {ended(record)}"
    another = "submit the payload under another jobId: preview enqueue FILE --job-id ID"
    if record.state == "failed":
        raise CommandFailed(
            f"{known}. Nothing was queued. Run it again: preview dlq replay {job_id}; or {another}",
            ExitCode.CONFLICT,
        )
    if record.state == "cancelled" or record.expired_at is not None:
        raise CommandFailed(
            f"{known}. Nothing was queued. To render it, {another}", ExitCode.CONFLICT
        )
    if not as_json:
        fetch = "" if record.dry_run else f" Fetch the video: preview artifact {job_id}"
        typer.echo(f"{known}.{fetch}")


def _warn_without_worker(client: PreviewClient, settings: Settings) -> None:
    if not client.queue().workers:
        address = parse_redis_url(settings.redis_url).address
        warn(
            f"no worker is alive on queue {settings.preview_queue_name} at {address}, so jobs "
            "wait; start one: dramatiq app.actors, or the whole system: preview dev"
        )


def watch(
    job: JobId,
    timeout: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Stop watching after this time.")
    ] = None,
    as_json: AsJsonLines = False,
) -> None:
    """Show a job's progress until it ends. Ctrl-C leaves the job running."""
    settings = settings_here()
    client = preview_client(settings)
    if client.status(job).finished_at is None:
        _warn_without_worker(client, settings)
    _watch(client, settings, job, as_json=as_json, timeout=timeout)


def _watch(
    client: PreviewClient,
    settings: Settings,
    job_id: str,
    *,
    as_json: bool,
    timeout: float | None = None,
) -> None:
    try:
        with Signals() as signals:
            changes = client.watch(job_id, timeout_seconds=timeout, on_poll=signals.check)
            record = follow(job_id, changes, as_json=as_json)
    except TimeoutError:
        raise left_running(job_id, interrupted=False, seconds=timeout) from None
    except KeyboardInterrupt:
        raise left_running(job_id, interrupted=True) from None
    if as_json:
        require_completed(record)
        return
    try:
        report_end(record)
    except CommandFailed as failed:
        if (record.error or {}).get("code") == "asset-failed" and running_stack(settings.data_dir):
            place = short_path(settings.asset_root / record.project)
            raise CommandFailed(f"{failed}. Assets are read from {place}.") from failed
        raise
