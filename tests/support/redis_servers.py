"""Real servers of the queue, started and ended by a test: restarted, paused, with special options.

All listen on a free loopback port, which they keep over restarts, and are ended
by their process id. ``redis-server`` is taken where it is installed, else the
embedded Valkey, which can do all but TLS.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.cli.remote.addresses import LOOPBACK, free_ports
from app.cli.stack.valkey import server_binary

#: Longest start and longest orderly end.
SERVER_SECONDS = 20.0
#: What the log says once commands are answered; a Sentinel never says it.
_READY = ("Ready to accept connections", "Sentinel ID is")
#: Tries to find a port that nobody else takes between the choice and the start.
_PORT_TRIES = 5


def redis_server_binary() -> Path:
    """Return Debian's ``redis-server``; skip the test where there is none, but fail in CI."""
    found = shutil.which("redis-server")
    if found is not None:
        return Path(found)
    if os.environ.get("CI") == "true":
        pytest.fail("CI must have a redis-server (Debian's package of that name)")
    pytest.skip("no redis-server is installed")


def any_server_binary() -> Path:
    """Return ``redis-server`` where it is installed, else the embedded Valkey."""
    found = shutil.which("redis-server")
    return Path(found) if found is not None else server_binary()


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of a server or a client: its certificate and key, and the authority of the others."""

    ca: Path
    cert: Path
    key: Path


class RedisServer:
    """A server on a port of its own, in ``directory``; nothing of it outlives :meth:`stop`.

    Nothing is persisted unless ``options`` say so.

    Args:
        directory: For its data and its log; made if need be.
        options: More of the command line: ``"--appendonly", "yes"``.
        binary: The server to run, by default that of :func:`any_server_binary`.
        tls: Serve TLS only, with these files.
        env: More of its environment.

    As a context manager it starts at the beginning and stops at the end.
    """

    def __init__(
        self, directory: Path, *options: str, binary: Path | None = None, tls: Tls | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.directory = directory
        self.options = list(options)
        self.binary = binary or any_server_binary()
        self.tls = tls
        self._env = {**os.environ, **(env or {})}
        self.port = free_ports(1)[0]
        self.log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_before = False
        directory.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens, for ``REDIS_URL``."""
        return f"{'rediss' if self.tls else 'redis'}://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives, be it paused."""
        return self._process is not None and self._process.poll() is None

    def client(self, **options: Any) -> redis.Redis:
        """Return a connection for the test itself: no retries, replies as text."""
        secure: dict[str, Any] = {}
        if self.tls:
            secure = {
                "ssl": True, "ssl_ca_certs": str(self.tls.ca),
                "ssl_certfile": str(self.tls.cert), "ssl_keyfile": str(self.tls.key),
            }  # fmt: skip
        given = {"decode_responses": True, "socket_timeout": 5, **secure, **options}
        return redis.Redis(LOOPBACK, self.port, retry=Retry(NoBackoff(), 0), **given)

    def command(self) -> list[str]:
        """Return what :meth:`start` runs."""
        ports = ["--port", str(self.port)]
        if self.tls:
            ports = [
                "--port", "0", "--tls-port", str(self.port), "--tls-replication", "yes",
                "--tls-cert-file", str(self.tls.cert), "--tls-key-file", str(self.tls.key),
                "--tls-ca-cert-file", str(self.tls.ca),
            ]  # fmt: skip
        directory = ["--dir", str(self.directory)]
        volatile = ["--save", "", "--appendonly", "no"]
        return [str(self.binary), *ports, "--bind", LOOPBACK, *directory, *volatile, *self.options]

    def start(self, *, wait: bool = True) -> Self:
        """Start, on the port and the data of an earlier run; ``wait`` until it takes commands."""
        assert not self.running, "the server runs already"
        for _ in range(_PORT_TRIES):
            read_from = self.log.stat().st_size if self.log.exists() else 0
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(
                    self.command(),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env=self._env,
                )
            if not wait or self._became_ready(self._process, read_from):
                self._started_before = True
                return self
            if self._started_before or "Address already in use" not in self.log.read_text():
                break
            self.port = free_ports(1)[0]
        self.kill()
        pytest.fail(f"the server did not start: {self.log.read_text()[-2000:]}")

    def _became_ready(self, process: subprocess.Popen[bytes], read_from: int) -> bool:
        deadline = time.monotonic() + SERVER_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            told = self.log.read_bytes()[read_from:].decode(errors="replace")
            if any(line in told for line in _READY):
                return True
            time.sleep(0.01)
        return False

    def stop(self) -> None:
        """End it as a supervisor does; harmless when it does not run."""
        if self._process is None:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(SERVER_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it by SIGKILL: what it had not written to disk is lost."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait(SERVER_SECONDS)
            self._process = None

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Let it answer nothing, with its connections open, until :meth:`resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._process is not None:
                self._process.send_signal(number)
