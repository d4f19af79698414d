"""Follows a job until it ends, and reports how it ended."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from app.cli.output.console import ago, clean, human_bytes, print_json_line
from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.output.progress import Stage, progress_display

if TYPE_CHECKING:
    from app.ledger import Record

#: A job that ended longer ago is said to have ended then.
JUST_NOW_SECONDS = 10


def follow(job_id: str, records: Iterable[Record], *, as_json: bool = False) -> Record:
    """Show every change of a job and return its last record.

    Args:
        job_id: The job.
        records: The job whenever it has changed; at least once.
        as_json: Print each record as a line of JSON.

    Raises:
        TimeoutError: ``records`` raised it: the job did not end in time.
    """
    last: Record | None = None
    with progress_display(job_id, quiet=as_json) as show:
        for last in records:
            if as_json:
                _print_line(last)
            else:
                show(_stage(last))
    assert last is not None
    return last


def _print_line(record: Record) -> None:
    from app.documents import status_document

    print_json_line(status_document(record))


def _stage(record: Record) -> Stage:
    progress = record.progress
    if record.state == "active":
        phase = progress.phase or "active"
        return Stage(phase, progress.frames_done, progress.frames_total)
    if record.state == "completed":
        return Stage("completed", progress.frames_total, progress.frames_total, ended=True)
    return Stage(record.state)


def report_end(record: Record) -> None:
    """Print how a job ended, for a person.

    Raises:
        CommandFailed: It failed or was cancelled.
    """
    require_completed(record)
    seconds = (record.finished_at or 0) - (record.started_at or record.created_at)
    typer.echo(f"{record.job_id} completed in {max(0.0, seconds):.1f} s")
    for artifact in record.artifacts if record.expired_at is None else ():
        typer.echo(f"  {clean(artifact['name'])}  {human_bytes(artifact['bytes'])}")
    show_warnings(record)
    if record.dry_run:
        typer.echo("  dry run: nothing was rendered")
    elif record.expired_at is not None:
        typer.echo(f"  its files were deleted {ago(record.expired_at)}")
    else:
        typer.echo(f"Fetch the video: preview artifact {record.job_id}")


def show_warnings(record: Record) -> None:
    """Print the renderer's warnings to standard error."""
    for warning in record.warnings:
        typer.echo(f"  warning: {clean(warning)}", err=True)


def require_completed(record: Record) -> None:
    """Return unless the job has failed or was cancelled.

    Raises:
        CommandFailed: It did; says when and why.
    """
    if record.state in ("failed", "cancelled"):
        raise CommandFailed(f"{record.job_id} {ended(record)}")


def ended(record: Record) -> str:
    """Return when and how a job ended, such as ``failed 3 min ago: No cover.png. [asset-failed]``.

    The time is left out if it was just now.
    """
    finished = record.finished_at or time.time()
    when = f" {ago(finished)}" if time.time() - finished > JUST_NOW_SECONDS else ""
    if record.state == "failed":
        error = record.error or {}
        reason = error.get("detail", "the record has no reason")
        return f"failed{when}: {reason} [{error.get('code', 'unknown')}]"
    deleted = ", and its files have been deleted" if record.expired_at is not None else ""
    return f"{'was cancelled' if record.state == 'cancelled' else record.state}{when}{deleted}"


def left_running(job_id: str, *, interrupted: bool, seconds: float | None = None) -> CommandFailed:
    """Return the error of a watch that stops before its job ends; the job runs on."""
    why = "stopped watching" if interrupted else f"not finished after {seconds:g} s"
    return CommandFailed(
        f"{why}; the job keeps running. Follow it again: preview watch {job_id}",
        ExitCode.INTERRUPTED if interrupted else ExitCode.TIMEOUT,
    )
