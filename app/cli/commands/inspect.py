"""``preview inspect``: a finished preview, measured against the quality rules."""

from __future__ import annotations

import json
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from app.cli.options import AsJson
from app.cli.output.console import clean, console, print_json
from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.output.progress import Stage, progress_display
from app.cli.stack.setup import require_posix
from app.cli.stack.state import settings_here
from app.render import Progress
from app.settings import Settings

#: Seconds between two looks at the signals and at the child's reports.
TICK_SECONDS = 0.1
#: Colours of outcomes.
_STYLES = {"ok": "green", "broken": "bold red", "warning": "yellow", "not applicable": "dim"}
#: Outcomes that --failures shows.
_FAILURES = ("broken", "warning")
#: Largest report that is read, in bytes; a usual one has about 10 kB.
_MAX_REPORT_BYTES = 4 * 1024 * 1024


def inspect(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Directory of a finished preview.")
    ],
    failures: Annotated[
        bool, typer.Option("--failures", help="Show only broken rules and warnings.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a finished preview against the quality rules.

    Everything is measured from the files, except for what only the renderer can know. Returns 1
    if a rule is broken.
    """
    require_posix()
    settings = settings_here()
    if not (directory / "manifest.json").is_file():
        raise CommandFailed(
            f"{directory} is not a preview: it has no manifest.json", ExitCode.UNREADABLE
        )
    checks = _measured(directory.resolve(), settings, str(directory), quiet=as_json)
    broken = [check for check in checks if check["outcome"] == "broken"]
    shown = [check for check in checks if not failures or check["outcome"] in _FAILURES]
    if as_json:
        print_json({"directory": str(directory), "ok": not broken, "checks": shown})
    elif shown or not failures:
        _print(shown)
    if broken:
        raise CommandFailed(f"{directory} breaks {len(broken)} of {len(checks)} rules")
    if not as_json:
        warned = sum(check["outcome"] == "warning" for check in checks)
        plural = "warning" if warned == 1 else "warnings"
        warnings = f", {warned} {plural}" if warned else ""
        typer.echo(f"{clean(str(directory))}: all rules hold{warnings}")


def _measured(
    directory: Path, settings: Settings, label: str, *, quiet: bool
) -> list[dict[str, Any]]:
    """Measure in a limited child process: the media may come from anywhere.

    Raises:
        KeyboardInterrupt: A signal asked for a stop.
        PreviewError: The child crashed or took too long.
    """
    from app.cli.signals import Signals
    from app.render import Limits, RenderStopped, render_in_child
    from app.render.inspect.rules import REPORT
    from app.render.renderers import INSPECTION
    from app.temporary import remove_leftovers, temporary_directory

    root = Path(tempfile.gettempdir())
    remove_leftovers(root)
    with (
        temporary_directory(root, name="inspect") as work,
        progress_display(label, quiet=quiet) as show,
        Signals() as signals,
    ):

        def on_tick(progress: Progress | None) -> str | None:
            if progress is not None:
                show(Stage(progress.phase, progress.frames_done, progress.frames_total))
            return "interrupted" if signals.count else None

        try:
            render_in_child(
                {},
                asset_dir=directory,
                out_dir=work / "report",
                limits=Limits(
                    deadline_seconds=settings.preview_job_timeout_seconds,
                    memory_mb=settings.preview_render_memory_mb,
                ),
                on_tick=on_tick,
                tick_seconds=TICK_SECONDS,
                target=INSPECTION,
            )
        except RenderStopped:
            raise KeyboardInterrupt from None
        with (work / "report" / REPORT).open("rb") as file:
            checks: list[dict[str, Any]] = json.loads(file.read(_MAX_REPORT_BYTES))
    return checks


def _print(checks: list[dict[str, Any]]) -> None:
    out = console()
    if not out.is_terminal:
        typer.echo("table\trule\tlimit\tmeasured\toutcome")
    for name, group in groupby(checks, key=lambda check: str(check["table"])):
        table = Table(title=name, title_justify="left", title_style="bold", header_style="bold")
        for header in ("rule", "limit", "measured", "outcome"):
            table.add_column(header, overflow="fold")
        for check in group:
            cells = [clean(str(check[key])) for key in ("rule", "limit", "measured", "outcome")]
            if out.is_terminal:
                style = _STYLES.get(cells[-1], "")
                table.add_row(*cells[:-1], Text(cells[-1], style=style))
            else:
                typer.echo("\t".join([name, *cells]))
        if out.is_terminal:
            out.print(table, soft_wrap=False)
