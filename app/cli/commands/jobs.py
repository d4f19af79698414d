"""The commands that talk to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.options import AsJson, AsJsonLines, JobId, PayloadFile
from app.cli.output.console import ago, human_bytes, print_fields, print_json, print_table
from app.cli.output.exits import CommandFailed
from app.cli.output.files import pipe, save, target_path
from app.cli.output.follow import follow, left_running, report_end, require_completed
from app.cli.payloads import STDIN, read_payload
from app.cli.signals import Signals
from app.errors import ArtifactExpired, ArtifactNotReady
from app.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.client import PreviewClient
    from app.ledger import Record

#: The ledger's states; written here because loading the ledger loads Redis's client.
JobStatus = Literal["queued", "active", "delayed", "completed", "failed", "cancelled"]


def _client() -> PreviewClient:
    from app.client import PreviewClient

    return PreviewClient.from_settings(load_settings())


def _document(record: Record) -> dict[str, object]:
    from app.documents import status_document

    return status_document(record)


def enqueue(
    file: PayloadFile,
    watch_it: Annotated[bool, typer.Option("--watch", help="Show the job until it ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Queue a payload, once for each jobId."""
    payload = read_payload(file)
    client = _client()
    submission = client.submit(payload)
    job_id = submission.job_id
    if watch_it:
        _watch(client, job_id, as_json=as_json)
        return
    if as_json:
        status = client.status(job_id).state if submission.replayed else "queued"
        print_json({"jobId": job_id, "status": status, "replayed": submission.replayed})
    elif submission.replayed:
        typer.echo(
            f"{job_id} exists already with this payload; it is {client.status(job_id).state}"
        )
    else:
        typer.echo(f"{job_id} queued. Follow it by: preview watch {job_id}")


def status(job: JobId, as_json: AsJson = False) -> None:
    """Show a job."""
    record = _client().status(job)
    if as_json:
        print_json(_document(record))
        return
    error, progress = record.error or {}, record.progress
    print_fields(
        {
            "job": record.job_id,
            "project": record.project,
            "request": record.request,
            "status": record.state,
            "phase": progress.phase if record.state == "active" else None,
            "frames": f"{progress.frames_done} of {progress.frames_total}"
            if progress.frames_total
            else None,
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


def watch(
    job: JobId,
    timeout: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Give up watching after this.")
    ] = None,
    as_json: AsJsonLines = False,
) -> None:
    """Show a job until it ends; Ctrl-C leaves it running."""
    _watch(_client(), job, as_json=as_json, timeout=timeout)


def _watch(
    client: PreviewClient, job_id: str, *, as_json: bool, timeout: float | None = None
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
    else:
        report_end(record)


def artifact(
    job: JobId,
    kind: Annotated[str, typer.Option(help="Kind of file, as status lists them.")] = "video",
    out: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="File or directory; - is standard output."),
    ] = None,
) -> None:
    """Fetch a finished file."""
    record = _client().status(job)
    require_completed(record)
    if record.state != "completed":
        raise ArtifactNotReady(f"{job} is {record.state}. Wait for it by: preview watch {job}")
    found = next((item for item in record.artifacts if item["kind"] == kind), None)
    if found is None:
        kinds = ", ".join(dict.fromkeys(item["kind"] for item in record.artifacts)) or "none"
        raise CommandFailed(f"{job} has no file of kind {kind!r}; it has: {kinds}")
    if record.expired_at is not None:
        from app.documents import expired_detail

        raise ArtifactExpired(expired_detail(record))

    from app.storage import ArtifactStore

    store = ArtifactStore(load_settings().artifact_url)
    if out == STDIN:
        pipe(store, found)
        return
    target = target_path(out, job, found)
    save(store, found, target)
    typer.echo(f"{target}  {human_bytes(found['bytes'])}")


def cancel(job: JobId) -> None:
    """Cancel a job; a running one stops within two seconds."""
    record = _client().cancel(job)
    if record.state == "cancelled":
        typer.echo(f"{job} is cancelled")
    else:
        typer.echo(f"{job} is {record.state} and has been asked to stop")


def jobs(
    state: Annotated[JobStatus | None, typer.Option("--status", help="Only those.")] = None,
    project: Annotated[str | None, typer.Option(help="Only those of this projectId.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Most jobs of a page.")] = 20,
    cursor: Annotated[
        int | None, typer.Option(min=1, help="Go on where the last page ended.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    page, following = _client().jobs(state=state, project=project, before_us=cursor, limit=limit)
    if as_json:
        print_json({"jobs": [_document(record) for record in page], "cursor": following})
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
        typer.echo(f"more: --cursor {following}", err=True)


def queue(as_json: AsJson = False) -> None:
    """Count the queue and its workers."""
    settings = load_settings()
    from app.documents import workers_document

    stats = _client().queue()
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
    line = f"{workers['alive']}, {workers['busy']} of {workers['slots']} slots busy"
    return f"{line}, {workers['resting']} resting" if workers["resting"] else line
