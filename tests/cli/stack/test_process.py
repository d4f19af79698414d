from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.cli.signals import Signals
from app.cli.stack.process import Child
from tests.conftest import wait_until


class Lines:
    """Collects what a child prints."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, _name: str, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def lines() -> Lines:
    return Lines()


@contextlib.contextmanager
def child(code: str, lines: Lines, tmp_path: Path) -> Iterator[Child]:
    process = Child(
        "part", [sys.executable, "-u", "-c", code], env=os.environ, cwd=tmp_path, on_line=lines
    )
    try:
        yield process
    finally:
        process.stop(seconds=0, hurry=lambda: True)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def patient() -> bool:
    return False


def test_a_child_ends_by_itself_on_one_sigterm(lines: Lines, tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(0)))\n"
        "print('up'); time.sleep(60)"
    )
    with child(code, lines, tmp_path) as process:
        wait_until(lambda: lines.lines, "the child is up")
        assert process.stop(seconds=30, hurry=patient)
        assert process.exit_code() == 0
    assert lines.lines == ["up", "bye"]


STUBBORN = (
    "import os, signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "grandchild = os.fork()\n"
    "print(os.getpid()) if grandchild == 0 else None\n"
    "time.sleep(60)"
)


@pytest.mark.parametrize(("seconds", "hurry"), [(0.2, patient), (60.0, lambda: True)])
def test_one_that_does_not_is_killed_with_its_group(
    lines: Lines, tmp_path: Path, seconds: float, hurry: Callable[[], bool]
) -> None:
    with child(STUBBORN, lines, tmp_path) as process:
        wait_until(lambda: lines.lines, "the grandchild is up")
        grandchild = int(lines.lines[0])
        assert alive(grandchild)
        assert not process.stop(seconds=seconds, hurry=hurry)
        assert process.exit_code() == -signal.SIGKILL
        wait_until(lambda: not alive(grandchild), "the grandchild is gone")


def test_what_a_dead_process_leaves_behind_is_ended_too(lines: Lines, tmp_path: Path) -> None:
    code = "import os, time\nif os.fork() == 0:\n  print(os.getpid()); time.sleep(60)"
    with child(code, lines, tmp_path) as process:
        wait_until(lambda: process.exit_code() == 0 and lines.lines, "the main process is gone")
        assert process.stop(seconds=0, hurry=patient)
        wait_until(lambda: not alive(int(lines.lines[0])), "the orphan is gone")


def test_the_last_lines_are_kept(lines: Lines, tmp_path: Path) -> None:
    code = "import sys\nfor n in range(100): print(n)\nsys.stdout.buffer.write(b'\\xff end')"
    with child(code, lines, tmp_path) as process:
        wait_until(lambda: process.exit_code() is not None, "the child ends")
        process.drain()
        assert len(lines.lines) == 101
        assert list(process.tail)[-2:] == ["99", "\ufffd end"]
        assert len(process.tail) == 20


def test_a_child_has_a_session_of_its_own(lines: Lines, tmp_path: Path) -> None:
    with child("import time; time.sleep(60)", lines, tmp_path) as process:
        assert os.getsid(process.pid) == process.pid != os.getsid(0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_counted_and_given_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Signals() as signals:
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        wait_until(lambda: signals.count >= 1, "they have arrived")
    assert signal.getsignal(number) is before
