"""``preview smoke``: one small job through a running installation, checked from outside."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from app.cli.checks.small_job import run_job
from app.cli.options import DEFAULT_JOB_TIMEOUT_SECONDS, AsJson, JobTimeout, KeyFile
from app.cli.output.console import clean, human_bytes, print_json
from app.cli.remote.addresses import local_url
from app.cli.remote.api import Api, read_key
from app.cli.signals import Signals
from app.cli.stack.state import settings_here


def smoke(
    url: Annotated[
        str | None,
        typer.Argument(metavar="URL", help="The API. Default: the one on this machine."),
    ] = None,
    key_file: KeyFile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan the job without rendering it.")
    ] = False,
    timeout: JobTimeout = DEFAULT_JOB_TIMEOUT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Send a small job to a running API and check its files.

    Renders a two-second film, downloads every file, and compares sizes and SHA-256 with the job's
    status and with the manifest.
    """
    target = url or local_url(settings_here().preview_api_port)
    api = Api(target, key=read_key(key_file))
    with Signals() as signals, contextlib.closing(api):
        result = run_job(api, dry_run=dry_run, timeout_seconds=timeout, on_poll=signals.check)
    if as_json:
        seconds = round(result.seconds, 3)
        print_json(
            {
                "jobId": result.job_id,
                "seconds": seconds,
                "files": result.files,
                "warnings": result.warnings,
            }
        )
        return
    typer.echo(f"{result.job_id} completed in {result.seconds:.1f} s")
    for item in result.files:
        typer.echo(f"  {clean(item['kind'])}  {human_bytes(item['bytes'])}")
    for warning in result.warnings:
        typer.echo(f"  warning: {clean(warning)}", err=True)
    typer.echo(
        "  dry run: nothing was rendered"
        if dry_run
        else f"  all {len(result.files)} files match the manifest"
    )
