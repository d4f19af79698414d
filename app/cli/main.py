"""The command line's commands, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from app import __version__
from app.cli.commands.artifact import artifact
from app.cli.commands.canary_report import canary_report
from app.cli.commands.demo import demo
from app.cli.commands.dev import dev
from app.cli.commands.dlq import dlq
from app.cli.commands.doctor import doctor
from app.cli.commands.enqueue import enqueue, watch
from app.cli.commands.inspect import inspect
from app.cli.commands.jobs import cancel, jobs, queue, status
from app.cli.commands.render import render
from app.cli.commands.smoke import smoke
from app.cli.commands.studio import studio
from app.cli.commands.validate import validate
from app.cli.commands.verify import verify
from app.cli.output.exits import MEANINGS, ErrorLines
from app.cli.output.help import PlainHelp, examples

#: Every command, in the order of ``--help``, with examples of its use.
COMMANDS: tuple[tuple[Callable[..., None], tuple[str, ...]], ...] = (
    (
        validate,
        (
            "preview validate tutorial.json",
            "preview validate *.json --json",
            "preview validate examples/tutorial.json --assets examples/assets/demo",
        ),
    ),
    (
        render,
        (
            "preview render examples/tutorial.json --assets examples/assets/demo --out film",
            "preview render tutorial.json --out film --force",
        ),
    ),
    (
        studio,
        ("preview studio tutorial.json", "preview studio tutorial.json --assets pictures"),
    ),
    (inspect, ("preview inspect film", "preview inspect film --failures")),
    (
        enqueue,
        (
            "preview enqueue examples/tutorial.json --watch",
            "preview enqueue tutorial.json --job-id tutorial-2",
        ),
    ),
    (status, ("preview status demo-pebblewick", "preview status demo-pebblewick --json")),
    (watch, ("preview watch demo-pebblewick --timeout 120",)),
    (
        artifact,
        (
            "preview artifact demo-pebblewick",
            "preview artifact demo-pebblewick --kind poster --out posters/",
        ),
    ),
    (cancel, ("preview cancel demo-pebblewick",)),
    (jobs, ("preview jobs", "preview jobs --status failed --limit 50")),
    (queue, ()),
    (doctor, ()),
    (smoke, ("preview smoke", "preview smoke https://previews.example.com --key-file key.txt")),
    (verify, ("preview verify --api http://127.0.0.1:8000 --worker http://127.0.0.1:3000",)),
    (
        canary_report,
        ("preview canary-report --prometheus http://prometheus:9090 --window 1h",),
    ),
    (dev, ("preview dev", "preview dev --port 8080 --logs")),
    (demo, ()),
)

cli = typer.Typer(
    cls=ErrorLines,
    name="preview",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExit codes:\n" + "\n".join(f"  {code:<4} {why}" for code, why in MEANINGS.items()),
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
    """Check, render, queue and download preview videos.

    Settings come from the environment. Run preview COMMAND --help for the options of a command.
    """


for _command, _lines in COMMANDS:
    cli.command(cls=PlainHelp, epilog=examples(*_lines))(_command)
cli.add_typer(dlq, name="dlq")


def main() -> None:
    """Run the command line."""
    cli(prog_name="preview")
