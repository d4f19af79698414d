"""Output for a person on a terminal, plain lines for a pipe, JSON for a program."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: Colours of a job's states.
STATE_STYLES = {
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
    "active": "cyan",
    "delayed": "magenta",
}


def console(*, stderr: bool = False) -> Console:
    """Return a console on the stream as it is now; on pipes it neither colours nor wraps."""
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def clean(text: str) -> str:
    """Return ``text`` with control characters escaped: payloads must not drive a terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def print_json(document: object) -> None:
    """Print one indented JSON document."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def print_json_line(document: object) -> None:
    """Print a JSON document on one line, at once."""
    typer.echo(orjson.dumps(document))
    sys.stdout.flush()


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: ruled on a terminal, separated by tabs in a pipe."""
    out = console()
    cells = [[clean("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not out.is_terminal:
        for row in [list(headers), *cells]:
            typer.echo("\t".join(row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell, style=STATE_STYLES.get(cell, "")) for cell in row))
    out.print(table, soft_wrap=False)


def print_fields(fields: Mapping[str, object]) -> None:
    """Print ``name: value`` lines, leaving out what is not known."""
    out = console()
    width = max(map(len, fields), default=0) + 1
    for name, value in fields.items():
        if value is not None and value != "":
            text = clean(str(value))
            label = Text(f"{name + ':':<{width}} ", style="bold")
            out.print(label + Text(text, style=STATE_STYLES.get(text, "")))


def human_bytes(count: float) -> str:
    """Return a size such as ``1.4 MB`` (powers of 1000)."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004 - the SI step
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def ago(seconds: float | None) -> str | None:
    """Return the distance of a Unix time from now, such as ``12 s ago``."""
    if seconds is None:
        return None
    distance = max(0.0, time.time() - seconds)
    for limit, divisor, unit in ((100, 1, "s"), (6000, 60, "min"), (172_800, 3600, "h")):
        if distance < limit:
            return f"{distance / divisor:.0f} {unit} ago"
    return f"{distance / 86_400:.0f} days ago"


def short_path(path: Path) -> str:
    """Return a path as a person here would type it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
