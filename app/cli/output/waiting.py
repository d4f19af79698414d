"""One line that says what a command waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from app.cli.output.console import clean


@contextmanager
def waiting_line(out: Console) -> Iterator[Callable[[str], None]]:
    """Yield a function that shows what is being waited for; an empty text shows nothing.

    On a terminal the line stays at the bottom, below whatever else is printed on ``out``. In a
    pipe, a line is printed for each new text.
    """
    shown = ""
    if not out.is_terminal:

        def print_line(text: str) -> None:
            nonlocal shown
            if text and text != shown:
                out.print(Text(clean(text)))
            shown = text

        yield print_line
        return

    status = out.status("")

    def update(text: str) -> None:
        nonlocal shown
        if text == shown:
            return
        shown = text
        if text:
            status.update(Text(clean(text)))
            status.start()
        else:
            status.stop()

    try:
        yield update
    finally:
        status.stop()
