"""``preview dev``: the whole system in one terminal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app import __version__
from app.cli.output.console import console, print_fields, short_path
from app.cli.output.waiting import waiting_line
from app.cli.remote.addresses import local_url
from app.cli.signals import Signals
from app.cli.stack.setup import (
    checkout,
    checkout_settings,
    preview_command,
    provide_example_assets,
    stack_settings,
)
from app.errors import BrokerUnavailable
from app.redis_url import parse_redis_url

if TYPE_CHECKING:
    from app.cli.stack.supervisor import Stack

#: Seconds between two looks at the processes, and between two counts of the queue.
WATCH_SECONDS, COUNT_SECONDS = 0.2, 1.0


def dev(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Port of the API; 0 picks a free one."),
    ] = None,
    health_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="Port of the worker's probes; 0 picks a free one.",
        ),
    ] = None,
    logs: Annotated[
        bool, typer.Option("--logs", help="Print the logs instead of writing them to files.")
    ] = False,
) -> None:
    """Run the whole system on this machine until Ctrl-C.

    Starts queue, API, worker and scheduler. Logs go to DATA_DIR/logs. Other preview commands find
    this stack by themselves.

    Put the pictures and recordings of a project into DATA_DIR/assets/PROJECT, where PROJECT is
    the payload's projectId.
    """
    root = checkout()
    from app.cli.stack.logs import FileLines, TerminalLines
    from app.cli.stack.supervisor import Stack

    given = checkout_settings()
    settings, embedded = stack_settings(
        given,
        data_dir=given.data_dir,
        asset_root=given.asset_root,
        api_port=given.preview_api_port if port is None else port,
        health_port=given.health_port if health_port is None else health_port,
    )
    if not given.preview_asset_root:
        provide_example_assets(root, settings.asset_root)
    out = console()
    sink = TerminalLines(out) if logs else FileLines(given.data_dir / "logs")
    typer.echo(f"Mobius Preview Worker {__version__}")
    with Signals() as signals, waiting_line(out) as say:
        try:
            with Stack(
                settings, embedded=embedded, root=root, signals=signals, sink=sink, say=say
            ) as stack:
                say("")
                _announce(stack, root, logs=sink.where)
                _watch(stack, say if out.is_terminal else lambda _: None)
        except KeyboardInterrupt:
            pass  # the usual way to stop
    typer.echo("Stopped.")


def _announce(stack: Stack, root: Path, *, logs: str) -> None:
    settings = stack.settings
    api = local_url(settings.preview_api_port)
    server = parse_redis_url(settings.redis_url).address
    print_fields(
        {
            "logs": short_path(Path(logs)) if Path(logs).is_absolute() else logs,
            "data": short_path(settings.data_dir),
            "assets": f"{short_path(settings.asset_root)}/PROJECT",
            "queue": server + (" (embedded Valkey)" if stack.embedded else " (REDIS_URL)"),
            "worker": f"{local_url(settings.health_port)}/readyz",
            "API": f"{api}/api/preview/job",
            "API description": f"{api}/openapi.json",
        }
    )
    example = short_path(root / "examples" / "tutorial.json")
    typer.echo(f"Try it in another terminal: {preview_command()} enqueue {example} --watch")
    typer.echo("Press Ctrl-C to stop.")


def _watch(stack: Stack, say: Callable[[str], None]) -> None:
    """Look after the processes until one dies or a signal arrives; keep the counts in view."""
    from app.client import PreviewClient

    client = PreviewClient.from_settings(stack.settings)
    due = 0.0
    while True:
        stack.check()
        if time.monotonic() >= due:
            due = time.monotonic() + COUNT_SECONDS
            with contextlib.suppress(BrokerUnavailable):
                counts = client.queue()
                say(
                    f"{local_url(stack.settings.preview_api_port)}  {counts.waiting} waiting, "
                    f"{counts.active} active, {counts.completed} completed, {counts.failed} failed"
                )
        time.sleep(WATCH_SECONDS)
