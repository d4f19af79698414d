"""Shows a job until it ends: a bar on a terminal, lines in a pipe, JSON lines for a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from app.cli.output.console import ago, clean, console, human_bytes, print_json_line
from app.cli.output.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from app.ledger import Record

#: A line in a pipe for every so many percent.
LINE_STEP_PERCENT = 10


def follow(records: Iterable[Record], *, as_json: bool = False) -> Record:
    """Show every change of a job; returns the last one.

    Raises:
        TimeoutError: From ``records``, when the job did not end in time.
    """
    out = console()
    if as_json:
        return _json_lines(records)
    return _bar(records, out) if out.is_terminal else _lines(records)


def _json_lines(records: Iterable[Record]) -> Record:
    from app.documents import status_document

    last = None
    for last in records:
        print_json_line(status_document(last))
    assert last is not None  # noqa: S101 - a watch yields at least once
    return last


def _lines(records: Iterable[Record]) -> Record:
    last, shown = None, None
    for last in records:
        phase, percent = _phase(last), _percent(last)
        key = (last.state, phase, last.attempts, percent // LINE_STEP_PERCENT)
        if key != shown:
            shown = key
            done = f" {percent:.0f} % {_frames(last)}" if last.state == "active" else ""
            typer.echo(clean(f"{last.job_id}: {phase}{done}").rstrip())
    assert last is not None  # noqa: S101 - a watch yields at least once
    return last


def _bar(records: Iterable[Record], out: Console) -> Record:
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description:<12}", style="bold"),
        BarColumn(bar_width=40),
        TaskProgressColumn(),
        TextColumn("{task.fields[frames]}", style="dim"),
        TimeElapsedColumn(),
    )
    last = None
    with Progress(*columns, console=out) as progress:
        task = progress.add_task("", total=None, frames="")
        for last in records:
            determined = _counts(last) or last.state == "completed"
            progress.update(
                task,
                description=_phase(last),
                total=100.0 if determined else None,
                completed=_percent(last),
                frames=_frames(last),
            )
        progress.stop_task(task)
    assert last is not None  # noqa: S101 - a watch yields at least once
    return last


def _counts(record: Record) -> bool:
    return record.state == "active" and record.progress.frames_total > 0


def _frames(record: Record) -> str:
    progress = record.progress
    if not progress.frames_total:
        return ""
    done = progress.frames_total if record.state == "completed" else progress.frames_done
    return f"{done}/{progress.frames_total} frames"


def _phase(record: Record) -> str:
    if record.state != "active":
        return record.state
    return record.progress.phase or "active"


def _percent(record: Record) -> float:
    if record.state == "completed":
        return 100.0
    progress = record.progress
    return 100.0 * progress.frames_done / progress.frames_total if progress.frames_total else 0.0


def report_end(record: Record) -> None:
    """Print what became of an ended job, for a person.

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
        typer.echo("  a dry run: nothing was rendered")
    elif record.expired_at is not None:
        typer.echo(f"  its files were deleted {ago(record.expired_at)}")
    else:
        typer.echo(f"Fetch the video: preview artifact {record.job_id}")


def show_warnings(record: Record) -> None:
    """Print what the renderer did not like, to standard error."""
    for warning in record.warnings:
        typer.echo(f"  warning: {clean(warning)}", err=True)


def require_completed(record: Record) -> None:
    """Do nothing when the job completed.

    Raises:
        CommandFailed: It failed or was cancelled; names the reason.
    """
    if record.state == "failed":
        error = record.error or {}
        reason = error.get("detail", "no reason is on record")
        raise CommandFailed(f"{record.job_id} failed: {reason} [{error.get('code', 'unknown')}]")
    if record.state == "cancelled":
        raise CommandFailed(f"{record.job_id} was cancelled")


def left_running(job_id: str, *, interrupted: bool, seconds: float | None = None) -> CommandFailed:
    """Return the error of a watch that ends before its job; the job is not touched."""
    why = "stopped watching" if interrupted else f"not finished after {seconds:g} s"
    return CommandFailed(
        f"{why}; the job keeps running. Go on by: preview watch {job_id}",
        ExitCode.INTERRUPTED if interrupted else ExitCode.TIMEOUT,
    )
