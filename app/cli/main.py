"""The command line's commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from app import __version__
from app.cli.commands.canary_report import canary_report
from app.cli.commands.demo import demo
from app.cli.commands.dev import dev
from app.cli.commands.dlq import dlq
from app.cli.commands.doctor import doctor
from app.cli.commands.inspect import inspect
from app.cli.commands.jobs import artifact, cancel, enqueue, jobs, queue, status, watch
from app.cli.commands.render import render
from app.cli.commands.smoke import smoke
from app.cli.commands.validate import validate
from app.cli.commands.verify import verify
from app.cli.output.exits import MEANINGS, ErrorLines

_EPILOG = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items())

cli = typer.Typer(
    cls=ErrorLines,
    name="preview",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG + ".",
)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"preview {__version__}")
        raise typer.Exit


@cli.callback()
def _root(
    _version_wanted: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda value: _version(wanted=value),
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Queue, follow and fetch preview videos; settings come from the environment."""


for _command in (
    enqueue,
    status,
    watch,
    artifact,
    cancel,
    jobs,
    queue,
    validate,
    render,
    inspect,
    doctor,
    smoke,
    verify,
    canary_report,
    dev,
    demo,
):
    cli.command()(_command)
cli.add_typer(dlq, name="dlq")


def main() -> None:
    """Run the command line."""
    cli(prog_name="preview")
