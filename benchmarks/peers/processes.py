"""Processes of this benchmark: each ends by its own pid, whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.stack import ROOT

#: Longest wait for an orderly end: the figures are taken, and nothing is kept.
END_SECONDS = 3.0
#: Most of a log that an error shows, in characters.
TAIL = 600


class PeerFailed(Exception):
    """A part did not come to its end; the others go on.

    Attributes:
        log: The end of what the worker or server printed that ran meanwhile.
    """

    log = ""


class Clock:
    """The time that the whole run may take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def most(self, seconds: float) -> float:
        """Return ``seconds``, or what is left of the run.

        Raises:
            PeerFailed: Nothing is left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise PeerFailed("no time left")
        return min(seconds, left)


def wait_until(condition: Callable[[], object], what: str, *, seconds: float) -> None:
    """Wait until ``condition`` holds.

    Raises:
        PeerFailed: It did not within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise PeerFailed(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


@contextlib.contextmanager
def running(
    command: Sequence[str], env: Mapping[str, str], *, telling: bool = True
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a session of its own; SIGTERM ends it, else SIGKILL for the session.

    Args:
        command: Program and arguments.
        env: What goes on top of this process's environment.
        telling: Whether its output explains a part that failed.
    """
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **env},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield child
        except PeerFailed as error:
            if telling:
                log.seek(0)
                error.log = log.read().decode(errors="replace")[-TAIL:]
            raise
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(END_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # whoever of its session is left
            child.wait()


def output(command: Sequence[str], env: Mapping[str, str], *, seconds: float) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        PeerFailed: It failed or took too long.
    """
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds,
        )
    except subprocess.CalledProcessError as error:
        raise PeerFailed(f"{command[0]} failed: {error.stderr[-TAIL:]}") from error
    except subprocess.TimeoutExpired as error:
        raise PeerFailed(f"{command[0]}: not within {seconds:.0f} s") from error
    return done.stdout


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Return whether something answers at a port of loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


@contextlib.contextmanager
def redis_server() -> Iterator[tuple[str, Path]]:
    """Run a new, empty Redis that appends to disk; yields its URL and a scratch directory."""
    with tempfile.TemporaryDirectory(prefix="preview-bench-") as directory:
        port = free_port()
        command = [
            "redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", directory,
            "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
        ]  # fmt: skip
        with running(command, {}, telling=False):
            wait_until(lambda: listening(port), "redis-server", seconds=10)
            yield f"redis://127.0.0.1:{port}/0", Path(directory)
