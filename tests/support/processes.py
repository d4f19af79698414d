"""Real processes of the product, started and ended by a test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from app.settings import Settings

#: The repository's root, from where the product is run.
ROOT = Path(__file__).parents[2]
#: Time a process is given to end before it is killed.
STOP_SECONDS = 40.0
#: Variables of a developer's own queue, which a test must not reach.
_FOREIGN = ("PREVIEW_", "REDIS_", "PROMETHEUS_")


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """Return the environment that makes a process use ``settings``.

    Steps are not kept: a test that needs a render to last must not find it done already. No slot
    rests after faults: tests that fail renders on purpose do not wait for it.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    told = {
        name.upper(): ",".join(sorted(value)) if isinstance(value, frozenset) else str(value)
        for name, value in settings.model_dump(exclude={"preview_api_keys"}).items()
        if value not in (None, "")
    }
    ours = {
        "LOG_FORMAT": "json",
        "PREVIEW_STEP_CACHE_MB": "0",
        "PREVIEW_FAULT_COOLDOWN_SECONDS": "0",
    }
    return {**inherited, **told, **ours, **more}


@contextlib.contextmanager
def running(
    arguments: list[str], *, env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m …`` from the root; end it with SIGTERM and, if need be, SIGKILL."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=dict(env),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    """Send SIGTERM once, as a supervisor does, and wait."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait(STOP_SECONDS)


def worker(
    settings: Settings,
    log: Path,
    *,
    processes: int = 1,
    threads: int = 4,
    more: Mapping[str, str] | None = None,
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Run ``dramatiq app.actors``, with ``more`` in its environment."""
    counts = ["--processes", str(processes), "--threads", str(threads)]
    env = environment(settings, **(more or {}))
    return running(["dramatiq", "app.actors", *counts], env=env, log=log)


def children_of(pid: int) -> set[int]:
    """Return all living descendants of a process (Linux)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def members_of(session: int) -> set[int]:
    """Return the living processes of a session, whoever their parents are by now (Linux)."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[0] != "Z" and int(fields[3]) == session:
                found.add(int(stat.parent.name))
    return found


def renders_below(pid: int) -> list[int]:
    """Return the renders of a worker: no other process below it leads a session."""
    return [child for child in children_of(pid) if session_of(child) == child]


def session_of(pid: int) -> int:
    """Return the session of a process, 0 when it has ended."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def send_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to those that have not ended by themselves."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
