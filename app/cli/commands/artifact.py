"""``preview artifact``: a file of a completed job."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.clients import preview_client
from app.cli.options import AsJson, JobId
from app.cli.output.console import human_bytes, print_json
from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.output.files import pipe, save, store_directory, target_path
from app.cli.output.follow import require_completed
from app.cli.payloads import STDIN
from app.cli.stack.state import settings_here
from app.errors import ArtifactExpired, ArtifactNotReady


def artifact(
    job: JobId,
    kind: Annotated[
        str,
        typer.Option(metavar="KIND", help="Kind of file; `preview status JOB` lists them."),
    ] = "video",
    out: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="File or directory to write to; - writes to standard output."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Download a file of a completed job.

    Without --out, the file is written to JOB-NAME in the current directory.
    """
    if as_json and out == STDIN:
        raise CommandFailed("--json and --out - both need standard output", ExitCode.INVALID)
    settings = settings_here()
    record = preview_client(settings).status(job)
    require_completed(record)
    if record.state != "completed":
        raise ArtifactNotReady(f"{job} is {record.state}. Wait for it: preview watch {job}")
    found = next((item for item in record.artifacts if item["kind"] == kind), None)
    if found is None:
        kinds = ", ".join(dict.fromkeys(item["kind"] for item in record.artifacts)) or "none"
        raise CommandFailed(f"{job} has no file of kind {kind!r}; it has: {kinds}")
    if record.expired_at is not None:
        from app.documents import expired_detail

        raise ArtifactExpired(expired_detail(record))

    from app.storage import ArtifactStore

    directory = store_directory(settings.artifact_url)
    if directory is not None and not directory.is_dir():
        raise CommandFailed(
            f"there is no artifact store at {directory}; set DATA_DIR or STORAGE_URL to that of "
            "the worker",
            ExitCode.UNREADABLE,
        )
    store = ArtifactStore(settings.artifact_url)
    if out == STDIN:
        pipe(store, found)
        return
    target = target_path(out, job, found)
    save(store, found, target, force=force)
    if as_json:
        kept = {name: found[name] for name in ("kind", "contentType", "bytes", "sha256")}
        print_json({"jobId": job, "path": str(target), **kept})
    else:
        typer.echo(f"{target}  {human_bytes(found['bytes'])}")
