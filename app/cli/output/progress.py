"""Shows how far work in a child process is: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from app.cli.output.console import clean, console

if TYPE_CHECKING:  # loads multiprocessing
    from app.render import Progress as Done

#: A line in a pipe for every so many percent.
LINE_STEP_PERCENT = 10


@contextmanager
def shown(label: str, *, quiet: bool = False) -> Iterator[Callable[[Done], None]]:
    """Yield a function that shows progress.

    Args:
        label: What lines in a pipe begin with.
        quiet: Show nothing: standard output holds a document.
    """
    out = console()
    if quiet:
        yield lambda _: None
    elif not out.is_terminal:
        yield _Lines(label)
    else:
        with Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<12}", style="bold"),
            BarColumn(bar_width=40),
            TaskProgressColumn(),
            TextColumn("{task.fields[frames]}", style="dim"),
            TimeElapsedColumn(),
            console=out,
        ) as bar:
            task = bar.add_task("starting", total=None, frames="")

            def show(done: Done) -> None:
                total = done.frames_total or None
                frames = f"{done.frames_done}/{total} frames" if total else ""
                bar.update(
                    task,
                    description=done.phase,
                    total=total,
                    completed=done.frames_done,
                    frames=frames,
                )

            yield show


class _Lines:
    """A line for each phase, and for every tenth of it."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._last: tuple[str, int] | None = None

    def __call__(self, done: Done) -> None:
        percent = 100 * done.frames_done // done.frames_total if done.frames_total else 0
        key = (done.phase, percent // LINE_STEP_PERCENT)
        if key != self._last:
            self._last = key
            part = f" {percent} % {done.frames_done}/{done.frames_total} frames"
            typer.echo(clean(f"{self._label}: {done.phase}{part if done.frames_total else ''}"))
