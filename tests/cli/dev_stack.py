"""``preview dev`` as tests run it."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.processes import ROOT, children_of

READY = "Press Ctrl-C to stop"
DEV = ("dev", "--port", "0", "--health-port", "0")


class Dev:
    """``preview dev`` with its output in a file."""

    def __init__(self, env: Mapping[str, str], log: Path, *arguments: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", *(arguments or DEV)],
                cwd=ROOT,
                env=dict(env),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.children: set[int] = set()

    @property
    def shown(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_ready(self) -> None:
        wait_until(
            lambda: READY in self.shown or self.process.poll() is not None, "dev starts", seconds=90
        )
        assert READY in self.shown, self.shown
        self.children = children_of(self.process.pid)

    def child(self, *words: str) -> int:
        """Return the main process of a part, by words of its command line."""
        for pid in self.children:
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_text()
                own = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                if all(word in line for word in words) and int(own[1]) == self.process.pid:
                    return pid
        pytest.fail(f"no child has {words}")

    def redis_url(self) -> str:
        found = re.search(r"queue:\s+(\S+)", self.shown)
        assert found
        return f"redis://{found.group(1)}"

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.children |= children_of(self.process.pid)
            self.process.send_signal(number)
        return self.process.wait(60)


@contextlib.contextmanager
def running(env: Mapping[str, str], tmp_path: Path, *arguments: str) -> Iterator[Dev]:
    stack = Dev(env, tmp_path / "dev.log", *arguments)
    try:
        yield stack
    finally:
        stack.end()


def alive(pids: set[int]) -> set[int]:
    found = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
    return found


def client_of(stack: Dev, settings: Settings) -> PreviewClient:
    told = settings.model_copy(update={"redis_url": stack.redis_url()})
    return PreviewClient.from_settings(told)
