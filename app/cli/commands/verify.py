"""``preview verify``: whether a running installation does its work."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from app.cli.checks.findings import Finding
from app.cli.checks.report import report
from app.cli.options import DEFAULT_JOB_TIMEOUT_SECONDS, AsJson, JobTimeout, KeyFile
from app.cli.output.exits import CommandFailed
from app.cli.remote.addresses import local_url
from app.cli.remote.api import Api, read_key
from app.cli.stack.state import settings_here


def verify_installation(
    *, worker: Api, api: Api, render: bool, timeout_seconds: float
) -> Iterator[Finding]:
    """Yield what is found of a worker, of an API, and of jobs that go through both.

    Args:
        worker: The probes of a worker.
        api: The API.
        render: Whether a small film is rendered besides the dry run.
        timeout_seconds: Longest wait for a job.
    """
    from app.cli.checks import service as checks

    job = functools.partial(checks.job, api, timeout_seconds=timeout_seconds)
    planned: dict[str, Callable[[], Iterator[Finding]]] = {
        "worker live": functools.partial(checks.probes, worker, "worker"),
        "worker metrics": functools.partial(checks.metrics, worker, "worker"),
        "worker health": functools.partial(checks.health, worker, "worker"),
        "api live": functools.partial(checks.probes, api, "api"),
        "api metrics": functools.partial(checks.metrics, api, "api"),
        "dry run": functools.partial(job, dry_run=True),
    }
    if render:
        planned["render"] = functools.partial(job, dry_run=False)
    for title, check in planned.items():
        try:
            yield from check()
        except CommandFailed as error:
            yield Finding(title, "fail", str(error), "is it running, and the address right?")


def verify(
    *,
    api_url: Annotated[
        str | None,
        typer.Option("--api", metavar="URL", help="The API. Default: the one on this machine."),
    ] = None,
    worker_url: Annotated[
        str | None,
        typer.Option(
            "--worker",
            metavar="URL",
            help="A worker's probes. Default: this machine's.",
        ),
    ] = None,
    key_file: KeyFile = None,
    render: Annotated[
        bool, typer.Option("--render/--no-render", help="Render a small film as well as a dry run.")
    ] = True,
    timeout: JobTimeout = DEFAULT_JOB_TIMEOUT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Check a running installation from outside.

    Asks worker and API for probes and metrics, then sends a dry run and a small render. Returns 1
    if a check fails.
    """
    settings = settings_here()
    worker = Api(worker_url or local_url(settings.health_port))
    api = Api(api_url or local_url(settings.preview_api_port), key=read_key(key_file))
    with contextlib.closing(worker), contextlib.closing(api):
        report(
            verify_installation(worker=worker, api=api, render=render, timeout_seconds=timeout),
            as_json=as_json,
        )
