"""A worker service under a supervisor that starts it again whenever it dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from app.settings import Settings
from tests.support.processes import children_of, environment, running, stop

#: How long a master may be without a worker before it is killed, as by a liveness probe.
LIFELESS_SECONDS = 10.0


class Service:
    """Runs ``dramatiq <module>`` and, like any supervisor, runs it again when it has ended.

    Dramatiq's master waits for ever for a worker that is killed while it reports that it has
    booted: it dies with the lock of a multiprocessing.Event that the master waits for. So a
    master that has no worker is killed, too, as a liveness probe does.

    Args:
        settings: Those of the worker.
        log: Where its output goes.
        module: What Dramatiq imports.
        more: More of its environment.
    """

    def __init__(
        self,
        settings: Settings,
        log: Path,
        *,
        module: str = "app.actors",
        more: Mapping[str, str] | None = None,
    ) -> None:
        # The master waits so long for a worker that dies as it boots, 10 minutes by default.
        patience = ["--worker-fork-timeout", "5000"]
        self._arguments = ["dramatiq", module, "--processes", "1", "--threads", "6", *patience]
        self._env = environment(settings, **(more or {}))
        self._log = log
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise)
        #: How often it died and was started again.
        self.deaths = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        if self._process is not None:
            stop(self._process)
        self._thread.join(60)

    def _supervise(self) -> None:
        while not self._ending.is_set():
            with running(self._arguments, env=self._env, log=self._log) as process:
                self._process = process
                if self._ending.is_set():
                    return
                self._watch(process)
                self.deaths += not self._ending.is_set()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        seen = time.monotonic()
        while process.poll() is None:
            if children_of(process.pid):
                seen = time.monotonic()
            elif time.monotonic() - seen > LIFELESS_SECONDS:
                process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5)

    @property
    def pid(self) -> int:
        """Process id of Dramatiq's master, of the life that runs."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill master and workers at once; renders end by themselves, as their parent is gone."""
        family = {self.pid, *children_of(self.pid)}
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in family:
                # Renders lead sessions of their own: a kernel that kills a worker spares them.
                with contextlib.suppress(ProcessLookupError):
                    if os.getsid(pid) == os.getsid(self.pid):
                        os.kill(pid, number)
