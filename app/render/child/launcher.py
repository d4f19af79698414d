"""Starts a child process in milliseconds, from any process, thread or start method.

The standard library's fork server holds the renderer in memory and forks. Three
things are added to it: the caller's main script is not run again in every child
(it would cost the start of the whole worker, 0.1 s, and needs a guard in it),
threads of one process may start and reap children at the same time, and signals
that tell a whole process group or service to end leave server and children alone:
their worker decides how long they go on, and they end when it does.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing import (
    context,
    forkserver,
    popen_forkserver,
    reduction,
    resource_tracker,
    spawn,
    util,
)
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from app.temporary import make_directory

#: Parts of the preparation data that make a child run its parent's main script.
_MAIN_KEYS: Final = ("init_main_from_name", "init_main_from_path")
#: How long a fork server that died may take to be replaced.
_RESTART_SECONDS: Final = 5.0
#: How long the server may take to fork, which takes milliseconds, before it counts as stopped,
#: and after that as stuck; a new one first loads the renderer.
_STOPPED_SECONDS: Final = 2.0
_STUCK_SECONDS: Final = 30.0
#: Signals that are meant for the worker, whoever else they are sent to.
_SHUTDOWN_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
#: multiprocessing polls every child whenever one starts; two polls at once lose an exit code.
_lock: Final = threading.Lock()


class _Popen(popen_forkserver.Popen):
    """The standard one but for the main script (the same code in Python 3.11 to 3.14)."""

    _fds: list[int]

    def _launch(self, process_obj: Any) -> None:
        preparation = spawn.get_preparation_data(process_obj.name)
        for key in _MAIN_KEYS:
            preparation.pop(key, None)
        buffer = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            reduction.dump(preparation, buffer)
            reduction.dump(process_obj, buffer)
        finally:
            context.set_spawning_popen(None)
        self.sentinel, writer = forkserver.connect_to_new_process(self._fds)
        parent_writer = os.dup(writer)  # its end tells the child that the parent has died
        fds = (parent_writer, self.sentinel)
        # typeshed does not list this function of multiprocessing's own.
        self.finalizer = util.Finalize(self, util.close_fds, fds)  # type: ignore[attr-defined]
        with os.fdopen(writer, "wb") as file:
            _require_answer(self.sentinel)
            self.pid = forkserver.read_signed(self.sentinel)
            file.write(buffer.getbuffer())

    def terminate(self) -> None:
        """Kill: it is deaf to SIGTERM, which multiprocessing would wait for at its exit."""
        self.kill()


def _require_answer(sentinel: int) -> None:
    """Wait until the fork server has forked.

    A stopped server is continued. One that is stuck is killed and replaced.

    Raises:
        ConnectionError: It is stuck.
    """
    pid: int = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]  # noqa: SLF001 - no public name
    for seconds, remedy in ((_STOPPED_SECONDS, signal.SIGCONT), (_STUCK_SECONDS, signal.SIGKILL)):
        if wait([sentinel], seconds):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, remedy)
    raise ConnectionError("the fork server does not answer")


class ChildProcess(context.ForkServerProcess):
    """A process forked from the fork server."""

    @staticmethod
    def _Popen(process_obj: Any) -> _Popen:  # noqa: N802 - the name that multiprocessing calls
        return _Popen(process_obj)


def preload(modules: Iterable[str]) -> None:
    """Start the fork server with ``modules`` imported. Has no effect on one that runs."""
    with _lock:
        forkserver.set_forkserver_preload(list(modules))
        _ensure_running()


def _ensure_running() -> None:
    """Start the fork server if it is not running. Its children inherit the blocked signals."""
    resource_tracker.ensure_running()  # which would unblock them, were it started by the server
    _place_socket()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SHUTDOWN_SIGNALS)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _place_socket() -> None:
    """Have multiprocessing keep the server's socket where the next boot finds it.

    Its own directory would stay for ever if this process was killed.
    """
    config: dict[str, Any] = multiprocessing.current_process()._config  # type: ignore[attr-defined]  # noqa: SLF001 - no public name
    if config.get("tempdir") is None:
        directory, _ = make_directory(Path(tempfile.gettempdir()), name="fork")
        # Late, as multiprocessing removes its own.
        util.Finalize(None, shutil.rmtree, args=(directory, True), exitpriority=-100)
        config["tempdir"] = str(directory)


def launch(
    target: Callable[..., None], *arguments: object
) -> tuple[ChildProcess, Connection[Any, Any]]:
    """Start ``target(sender, *arguments)`` in a child.

    Returns:
        The child, and the end of a pipe on which to receive what it sends.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    try:
        process = ChildProcess(target=target, args=(sender, *arguments), daemon=True)
        with _lock:
            _start(process)
    except BaseException:
        receiver.close()
        raise
    finally:
        sender.close()
    return process, receiver


def _start(process: ChildProcess) -> None:
    """Start a child, also when the fork server has just died.

    Should that server have forked before its end, its child finds its parent gone and ends.
    """
    deadline = time.monotonic() + _RESTART_SECONDS
    while True:
        try:
            process.start()
        except (ConnectionError, EOFError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # until the dead server can be reaped, and another started
            _ensure_running()
        else:
            return


def exit_code(process: ChildProcess, *, timeout_seconds: float) -> int | None:
    """Return the child's exit code (negative: the signal), None if it still runs."""
    if not wait([process.sentinel], timeout_seconds):
        return None
    with _lock:
        return process.exitcode


def release(process: ChildProcess) -> None:
    """Forget a child that has ended."""
    with _lock:
        process.join(0)
        if process.exitcode is not None:
            process.close()
