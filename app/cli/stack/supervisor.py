"""Supervises a whole system on one machine: queue server, worker, API and scheduler."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import typer

from app.cli.output.console import clean
from app.cli.output.exits import CommandFailed
from app.cli.remote.addresses import LOOPBACK, http_get, is_preview_process, port_is_free
from app.cli.signals import Signals
from app.cli.stack import keeper, valkey
from app.cli.stack.logs import LineSink
from app.cli.stack.process import POLL_SECONDS, Child
from app.cli.stack.state import StackState, StateFile, with_part
from app.errors import BrokerUnavailable
from app.ledger import connect, redis_errors
from app.redis_url import parse_redis_url
from app.settings import Settings

#: How long a process may take to start. A cold start takes 2 to 5 s on two cores.
START_SECONDS = 60.0
#: Threads of the worker besides those that render: one for cron tasks, one spare.
EXTRA_THREADS = 2
#: How long a process may take to stop before it is killed.
STOP_SECONDS = 10.0
#: How long Redis may take to answer a ping.
PING_SECONDS = 1.0
_HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack.

    Attributes:
        name: What it is called in messages and logs.
        command: The program and its arguments.
        ready: Polled until it returns true.
        stop_seconds: How long it may take to stop.
        keep_open: File descriptors that it inherits.
        stop_note: What a person should know while it stops.
    """

    name: str
    command: list[str]
    ready: Callable[[], bool]
    stop_seconds: float = STOP_SECONDS
    keep_open: tuple[int, ...] = ()
    stop_note: str = ""


class Stack:
    """Starts the processes, watches them, and leaves none behind.

    Use as a context manager. Entering waits until all processes are ready. Should this process
    be killed, a keeper ends the others (:mod:`app.cli.stack.keeper`).

    Args:
        settings: Settings of all processes; ``redis_url`` is where the queue will be.
        embedded: Whether to start the server at ``redis_url`` as well.
        root: The checkout.
        signals: Requests to stop.
        sink: Receives the output of the processes.
        say: Told what a start or a stop waits for.

    Raises:
        CommandFailed: The data directory or a port is in use, or a process died or was not ready
            in time.
        KeyboardInterrupt: ``signals`` counted a request to stop.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        embedded: bool,
        root: Path,
        signals: Signals,
        sink: LineSink,
        say: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.embedded = embedded
        self._root = root
        self._signals = signals
        self._sink = sink
        self._say = say
        self._running: list[tuple[Part, Child]] = []
        self._lock: int | None = None
        self._file: StateFile | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._state = StackState.of(settings)

    def __enter__(self) -> Self:
        """Start everything."""
        try:
            self._file = StateFile(self.settings.data_dir, say=self._say)
            self._file.write(self._state)
            require_free_ports(self.settings)
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__],
                stdin=subprocess.PIPE,
                start_new_session=True,
                pass_fds=(self._file.descriptor,),
            )
            self._start_queue()
            self._start([self._worker(), self._api(), self._scheduler()])
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self.stop()

    def check(self) -> None:
        """Return if every process runs and nobody asked for a stop.

        Raises:
            CommandFailed: A process died; its last lines have been printed.
            KeyboardInterrupt: A signal asked for a stop.
        """
        for _, child in self._running:
            code = child.exit_code()
            if code is not None:
                child.drain()
                for line in child.tail:
                    typer.echo(f"  {child.name} │ {clean(line)}", err=True)
                how = (
                    f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                )
                raise CommandFailed(f"the {child.name} {how}; everything else has been stopped")
        self._signals.check()

    def stop(self) -> None:
        """Stop what runs, the last started first; one more signal cuts the waits short."""
        asked = self._signals.count
        while self._running:
            part, child = self._running[-1]
            self._say(f"Stopping: {part.name}{part.stop_note}")
            child.stop(seconds=part.stop_seconds, hurry=lambda: self._signals.count > max(1, asked))
            self._running.pop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._keeper is not None:
            self._keeper.communicate(b"done\n")
            self._keeper = None
        if self._file is not None:
            self._file.close()
            self._file = None
        self._sink.close()

    def _start_queue(self) -> None:
        if not self.embedded:
            if not self._queue_answers():
                address = parse_redis_url(self.settings.redis_url).address
                raise CommandFailed(
                    f"no Redis answers at {address} (REDIS_URL); correct REDIS_URL, or unset it to "
                    "use the embedded server"
                )
            return
        directory = self.settings.data_dir / "valkey"
        binary = valkey.server_binary()
        self._lock = valkey.lock_directory(directory)
        port = int(self.settings.redis_url.rpartition(":")[2])
        command = valkey.server_command(binary, directory, port=port)
        self._start([Part("valkey", command, self._queue_answers, keep_open=(self._lock,))])
        valkey.note_owner(self._lock, self._running[-1][1].pid)

    def _start(self, parts: list[Part]) -> None:
        for part in parts:
            child = Child(
                part.name,
                part.command,
                env=self._environment(),
                cwd=self._root,
                on_line=self._sink,
                keep_open=part.keep_open,
            )
            self._running.append((part, child))
            self._note(part, child)
        deadline = time.monotonic() + START_SECONDS
        waiting = list(parts)
        while waiting:
            self.check()
            waiting = [part for part in waiting if not part.ready()]
            names = ", ".join(part.name for part in waiting)
            if waiting and time.monotonic() > deadline:
                raise CommandFailed(
                    f"not ready after {START_SECONDS:g} s: {names}; see {self._sink.where}"
                )
            if waiting:
                self._say(f"Starting: {names}")
            time.sleep(POLL_SECONDS)

    def _note(self, part: Part, child: Child) -> None:
        """Tell the keeper and the state file of a process."""
        self._state = with_part(self._state, part.name, child.pid)
        assert self._keeper is not None
        assert self._keeper.stdin is not None
        assert self._file is not None
        self._keeper.stdin.write(f"{child.pid} {part.stop_seconds:g}\n".encode())
        self._keeper.stdin.flush()
        self._file.write(self._state)

    def _environment(self) -> Mapping[str, str]:
        settings = self.settings
        return {
            **os.environ,
            "APP_ENV": settings.app_env,
            "DATA_DIR": str(settings.data_dir),
            "STORAGE_URL": settings.storage_url,
            "REDIS_URL": settings.redis_url,
            "HEALTH_HOST": settings.health_host,
            "HEALTH_PORT": str(settings.health_port),
            "LOG_FORMAT": settings.log_format,
            "PREVIEW_API_HOST": settings.preview_api_host,
            "PREVIEW_API_PORT": str(settings.preview_api_port),
            "PREVIEW_ASSET_ROOT": str(settings.asset_root),
            "PREVIEW_QUEUE_NAME": settings.preview_queue_name,
            "PYTHONUNBUFFERED": "1",
        }

    def _queue_answers(self) -> bool:
        client = connect(self.settings, timeout_seconds=PING_SECONDS)
        try:
            with redis_errors():
                return bool(client.ping())
        except BrokerUnavailable:
            return False
        finally:
            client.close()

    def _api(self) -> Part:
        command = [sys.executable, "-m", "gunicorn", "app.http.wsgi:app"]
        return Part("api", command, _is_ready(self.settings.preview_api_port))

    def _worker(self) -> Part:
        grace = self.settings.preview_shutdown_grace_seconds
        threads = self.settings.preview_worker_concurrency + EXTRA_THREADS
        command = [sys.executable, "-m", "dramatiq", "app.actors", "--processes", "1"]
        return Part(
            "worker",
            [*command, "--threads", str(threads)],
            _is_ready(self.settings.health_port),
            stop_seconds=grace + STOP_SECONDS,
            stop_note=f" (running renders have {grace:g} s; Ctrl-C again stops at once)",
        )

    def _scheduler(self) -> Part:
        # It has no port to ask: it is ready when it runs.
        # periodiq does not support -m, and its script may not be on the PATH.
        start = "import periodiq; periodiq.entrypoint()"
        return Part("scheduler", [sys.executable, "-c", start, "app.actors"], lambda: True)


def _is_ready(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            return http_get(port, "/readyz")[0] == _HTTP_OK
        except OSError:
            return False

    return ready


def require_free_ports(settings: Settings) -> None:
    """Return if the stack's ports are free.

    Raises:
        CommandFailed: A port is in use; names the option that chooses another.
    """
    for port, variable, option in (
        (settings.preview_api_port, "PREVIEW_API_PORT", "--port"),
        (settings.health_port, "HEALTH_PORT", "--health-port"),
    ):
        if not port_is_free(port):
            user = "another preview process" if is_preview_process(port) else "another program"
            raise CommandFailed(
                f"port {port} on {LOOPBACK} is in use by {user}; "
                f"choose another with {option} or {variable}"
            )
