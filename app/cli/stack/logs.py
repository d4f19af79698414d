"""Where the output of a stack's processes goes: the terminal, or files."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.text import Text

from app.cli.output.console import clean

#: Colour of each process's name.
_STYLES = {"valkey": "magenta", "api": "cyan", "worker": "green", "scheduler": "yellow"}
_NAME_WIDTH = max(map(len, _STYLES))


class LineSink(Protocol):
    """Takes lines from several threads."""

    #: Where a person finds the lines.
    where: str

    def __call__(self, name: str, line: str) -> None:
        """Take one line of the process called ``name``."""

    def close(self) -> None:
        """Take no more."""


class TerminalLines:
    """Prints each line after the name of its process, in colour on a terminal.

    Args:
        out: Where to print.
    """

    def __init__(self, out: Console) -> None:
        self.where = "the lines above"
        self._out = out
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        """Print a line; if the terminal is gone, the line is lost and the process runs on."""
        prefix = Text(f"{name:<{_NAME_WIDTH}} │ ", style=_STYLES.get(name, ""))
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._out.print(prefix + Text(clean(line), style=""))

    def close(self) -> None:
        """Nothing to close."""


class FileLines:
    """Writes the output of each process to ``<directory>/<name>.log``, new at each start.

    Args:
        directory: Made if it is missing.

    Raises:
        OSError: The directory cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self.where = str(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self._files = {
            name: (directory / f"{name}.log").open("w", encoding="utf-8", buffering=1)
            for name in _STYLES
        }

    def __call__(self, name: str, line: str) -> None:
        """Write a line; if the disk is full, the line is lost and the process runs on."""
        with contextlib.suppress(OSError, ValueError):
            self._files[name].write(line + "\n")

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.close()
