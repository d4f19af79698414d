"""A command on a real terminal, as a person runs it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping

import pytest

from tests.support.processes import ROOT

#: Makes standard input the controlling terminal, so that ^C is a signal.
_ON_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments: str, env: Mapping[str, str]) -> None:
        self._controller, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, sys.executable, "-m", "app", *arguments],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **env},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        self.shown = ""

    def read_until(self, text: str, *, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            if not self._read(deadline):
                pytest.fail(f"{text!r} was not shown in:\n{self.shown}")

    def type(self, text: str) -> None:
        os.write(self._controller, text.encode())

    def end(self) -> int:
        while self._read(time.monotonic() + 60.0):
            pass
        os.close(self._controller)
        return self.process.wait(10)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select(
            [self._controller], [], [], max(0.0, deadline - time.monotonic())
        )
        try:
            part = os.read(self._controller, 65536) if ready else b""
        except OSError:  # Linux's way to say that the other side is closed
            part = b""
        self.shown += part.decode(errors="replace")
        return bool(part)
