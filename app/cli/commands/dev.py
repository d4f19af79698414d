"""``preview dev``: the whole system in one terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app import __version__
from app.cli.output.console import clean, print_fields, short_path
from app.cli.stack.setup import assets_for, checkout, stack_settings
from app.redis_url import parse_redis_url
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from app.cli.stack.supervisor import Stack

#: Pause between two looks at the processes.
WATCH_SECONDS = 0.2


def dev(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the API; 0 takes a free one.")
    ] = None,
    health_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the worker's probes.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Write logs to DATA_DIR/logs instead.")
    ] = False,
) -> None:
    """Run queue, API, worker and scheduler on this machine until Ctrl-C."""
    root = checkout()
    from app.cli.signals import Signals
    from app.cli.stack.logs import FileLines, TerminalLines
    from app.cli.stack.supervisor import Stack

    given = load_settings()
    settings, embedded = stack_settings(
        given,
        data_dir=given.data_dir,
        asset_root=assets_for(given, root),
        api_port=given.preview_api_port if port is None else port,
        health_port=given.health_port if health_port is None else health_port,
    )
    logs = given.data_dir / "logs"
    sink = FileLines(logs) if quiet else TerminalLines()
    typer.echo(f"Mobius Preview Worker {__version__}: starting")
    with Signals() as signals:
        try:
            with Stack(settings, embedded=embedded, root=root, signals=signals, sink=sink) as stack:
                _announce(stack, root)
                if quiet:
                    typer.echo(f"Logs are in {clean(str(logs))}.")
                while True:
                    stack.check()
                    time.sleep(WATCH_SECONDS)
        except KeyboardInterrupt:
            typer.echo("stopped")  # the usual end


def _announce(stack: Stack, root: Path) -> None:
    settings = stack.settings
    api = f"http://{settings.preview_api_host}:{settings.preview_api_port}"
    print_fields(
        {
            "API": f"{api}/api/preview/job, described at {api}/openapi.json",
            "worker": f"http://{settings.health_host}:{settings.health_port}/readyz",
            "queue": parse_redis_url(settings.redis_url).address
            + (" (embedded Valkey)" if stack.embedded else " (REDIS_URL)"),
            "data": settings.data_dir,
            "assets": settings.asset_root,
        }
    )
    if stack.embedded and settings.redis_url != Settings.model_fields["redis_url"].default:
        typer.echo(f"In other terminals: export REDIS_URL={settings.redis_url}")
    example = root / "examples" / "tutorial.json"
    typer.echo(f"Try: preview enqueue {short_path(example)} --watch   Ctrl-C stops everything.")
