"""Commands for single jobs, and for the queue as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.clients import preview_client
from app.cli.options import AsJson, JobId
from app.cli.output.console import (
    ago,
    human_bytes,
    print_fields,
    print_json,
    print_table,
)
from app.cli.stack.state import settings_here

if TYPE_CHECKING:
    from app.ledger import Record

#: The ledger's states, repeated here because importing the ledger imports Redis's client.
JobStatus = Literal["queued", "active", "delayed", "completed", "failed", "cancelled"]


def status(job: JobId, as_json: AsJson = False) -> None:
    """Show a job."""
    record = preview_client().status(job)
    if as_json:
        from app.documents import status_document

        print_json(status_document(record))
        return
    error, progress = record.error or {}, record.progress
    print_fields(
        {
            "job": record.job_id,
            "project": record.project,
            "request": record.request,
            "status": record.state,
            "phase": progress.phase if record.state == "active" else None,
            "frames": _frames(record),
            "attempt": f"{record.attempt} of {record.max_attempts}",
            "priority": record.priority,
            "dry run": "yes" if record.dry_run else None,
            "created": ago(record.created_at),
            "started": ago(record.started_at),
            "finished": ago(record.finished_at),
            "expired": ago(record.expired_at),
            "replays": record.replays or None,
            "error": f"{error.get('detail')} [{error.get('code')}]" if error else None,
        }
    )
    for warning in record.warnings:
        print_fields({"warning": warning})
    if record.artifacts and record.expired_at is None:
        print_table(
            ("KIND", "NAME", "SIZE"),
            ((a["kind"], a["name"], human_bytes(a["bytes"])) for a in record.artifacts),
        )


def _frames(record: Record) -> str | None:
    progress = record.progress
    if not progress.frames_total:
        return None
    if record.state == "completed":
        return str(progress.frames_total)
    return f"{progress.frames_done} of {progress.frames_total}"


def cancel(job: JobId, as_json: AsJson = False) -> None:
    """Cancel a job. A running job stops within two seconds."""
    record = preview_client().cancel(job)
    if as_json:
        print_json({"jobId": job, "status": record.state})
    elif record.state == "cancelled":
        typer.echo(f"{job} is cancelled")
    else:
        typer.echo(f"{job} is {record.state} and stops within two seconds")


def jobs(
    state: Annotated[
        JobStatus | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only queued, active, delayed, completed, failed or cancelled jobs.",
        ),
    ] = None,
    project: Annotated[
        str | None, typer.Option(metavar="ID", help="Only jobs of this projectId.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=200, metavar="NUMBER", help="Jobs per page.")
    ] = 20,
    cursor: Annotated[
        int | None,
        typer.Option(min=1, metavar="CURSOR", help="Continue where the previous page ended."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    page, following = preview_client().jobs(
        state=state, project=project, before_us=cursor, limit=limit
    )
    if as_json:
        from app.documents import summary_document

        print_json({"jobs": list(map(summary_document, page)), "cursor": following})
        return
    print_table(
        ("JOB", "PROJECT", "STATUS", "ATTEMPT", "CREATED", "ERROR"),
        (
            (
                record.job_id,
                record.project,
                record.state,
                record.attempt,
                ago(record.created_at),
                (record.error or {}).get("code"),
            )
            for record in page
        ),
    )
    if following is not None:
        typer.echo(f"next page: --cursor {following}", err=True)


def queue(as_json: AsJson = False) -> None:
    """Count jobs and workers."""
    from app.documents import workers_document

    settings = settings_here()
    stats = preview_client(settings).queue()
    counts = {
        "waiting": stats.waiting,
        "active": stats.active,
        "delayed": stats.delayed,
        "completed": stats.completed,
        "failed": stats.failed,
        "total": stats.total,
    }
    workers = workers_document(stats.workers)
    if as_json:
        print_json(
            {
                **counts,
                "cancelled": stats.cancelled,
                "max": settings.preview_queue_max,
                "oldestWaitingSeconds": round(stats.oldest_waiting_seconds, 3),
                "byPriority": dict(stats.by_priority),
                "workers": workers,
            }
        )
        return
    print_fields(
        {
            "queue": settings.preview_queue_name,
            **counts,
            "cancelled": stats.cancelled,
            "room": f"{max(0, settings.preview_queue_max - stats.depth)} of "
            f"{settings.preview_queue_max}",
            "oldest waiting": f"{stats.oldest_waiting_seconds:.1f} s" if stats.waiting else None,
            "workers": _workers_line(workers),
        }
    )


def _workers_line(workers: Mapping[str, int]) -> str:
    if not workers["alive"]:
        return "none alive, so jobs wait"
    line = f"{workers['alive']}, {workers['busy']} of {workers['slots']} slots busy"
    return f"{line}, {workers['resting']} resting" if workers["resting"] else line
