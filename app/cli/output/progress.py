"""Shows how far a job or a render is: a bar on a terminal, lines in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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

#: In a pipe, a line is printed each time progress passes a multiple of this many percent.
LINE_STEP_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Stage:
    """One reading of the progress.

    Attributes:
        name: Phase or state, such as ``rendering`` or ``queued``.
        done: Frames that are finished.
        total: All frames; 0 while their number is unknown.
        ended: Whether this is the last reading.
    """

    name: str
    done: int = 0
    total: int = 0
    ended: bool = False

    @property
    def frames(self) -> str:
        """The count of frames, empty while it is unknown."""
        return f"{self.done}/{self.total} frames" if self.total else ""


@contextmanager
def progress_display(label: str, *, quiet: bool = False) -> Iterator[Callable[[Stage], None]]:
    """Yield a function that shows a stage.

    Args:
        label: Prefix of the lines in a pipe.
        quiet: Show nothing, because standard output holds a document.
    """
    out = console()
    if quiet:
        yield lambda _: None
    elif not out.is_terminal:
        yield _Lines(label)
    else:
        columns = (
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<12}", style="bold"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("{task.fields[frames]}", style="dim"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=out) as bar:
            task = bar.add_task("starting", total=None, frames="")

            def show(stage: Stage) -> None:
                known = stage.total > 0 or stage.ended
                bar.update(
                    task,
                    description=stage.name,
                    total=(stage.total or 1) if known else None,
                    completed=(stage.total or 1) if stage.ended else stage.done,
                    frames=stage.frames,
                )

            yield show


class _Lines:
    """Prints a line for each stage, and for each tenth of its frames."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._last: tuple[str, int] | None = None

    def __call__(self, stage: Stage) -> None:
        percent = 100 * stage.done // stage.total if stage.total else 0
        key = (stage.name, percent // LINE_STEP_PERCENT)
        if key == self._last:
            return
        self._last = key
        part = f" {percent} % {stage.frames}" if stage.total and not stage.ended else ""
        typer.echo(clean(f"{self._label}: {stage.name}{part}"))
