"""What goes wrong: workers are killed, stopped and frozen, the server vanishes, hangs, forgets."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.faults.service import Service
from tests.soak.journal import Journal
from tests.soak.samples import family_of
from tests.support.processes import children_of
from tests.support.redis_servers import RedisServer

#: Shortest and longest time between two strikes, in seconds.
WORKER_PAUSE: Final = (4.0, 12.0)
SERVER_PAUSE: Final = (5.0, 12.0)
#: Longest absence of the server, longest time that it hangs, longest freeze of a worker.
#: The lease, 3 s, is shorter than each.
ABSENCE_SECONDS: Final = 8.0
HANG_SECONDS: Final = 7.0
FREEZE_SECONDS: Final = 8.0


class Chaos:
    """Strikes again and again until ``ended``, and leaves everything running.

    Args:
        rng: Decides what happens and when.
        ended: Ends it, also in the middle of a strike.
        strikes: What may happen, with weights.
        pause: Shortest and longest time between two strikes, in seconds.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        ended: threading.Event,
        strikes: Mapping[Callable[[], None], int],
        pause: tuple[float, float],
    ) -> None:
        self._rng = rng
        self._ended = ended
        self._strikes = strikes
        self._pause = pause

    def __call__(self) -> None:
        """Strike until the end."""
        strikes, weights = list(self._strikes), list(self._strikes.values())
        while not self._ended.wait(self._rng.uniform(*self._pause)):
            [strike] = self._rng.choices(strikes, weights)
            strike()


class WorkerStrikes:
    """What is done to the unlucky worker. Its process group is all of it but its renders."""

    def __init__(
        self, service: Service, *, rng: random.Random, ended: threading.Event, journal: Journal
    ) -> None:
        self._service = service
        self._rng = rng
        self._ended = ended
        self._journal = journal

    def weighted(self) -> Mapping[Callable[[], None], int]:
        """All of them."""
        return {self.kill: 4, self.kill_one: 2, self.kill_render: 2, self.stop: 3, self.freeze: 5}

    def kill(self) -> None:
        """Kill all of it at once, as a machine that fails."""
        self._group(signal.SIGKILL)
        self._journal.strike("worker killed")

    def kill_one(self) -> None:
        """Kill one of its processes, as a kernel that is short of memory.

        Not the master: whoever supervises it would then end the others too.
        """
        family, _ = family_of(self._service.pid)
        if family:
            victim = self._rng.choice(sorted(family))
            kind = _kind(victim)
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
            self._journal.strike("worker process killed", f"({kind})")

    def kill_render(self) -> None:
        """Kill a render, if there is one."""
        for pid in sorted(family_of(self._service.pid)[1])[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._journal.strike("render killed")

    def stop(self) -> None:
        """Ask it to end: its master alone, or all its processes as a terminal does."""
        if self._rng.random() < 0.5:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._service.pid, signal.SIGTERM)
        else:
            self._group(signal.SIGTERM)
        self._journal.strike("worker stopped")

    def freeze(self) -> None:
        """Stop all of it, and its renders, for longer than a lease or shorter."""
        seconds = self._rng.uniform(1, FREEZE_SECONDS)
        pid = self._service.pid
        renders = family_of(pid)[1]
        self._journal.strike("worker frozen", f"for {seconds:.1f} s")
        try:
            for number in (signal.SIGSTOP, signal.SIGCONT):
                self._group(number, pid=pid)
                for render in renders:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(render, number)
                if number == signal.SIGSTOP:
                    self._ended.wait(seconds)
        finally:
            self._group(signal.SIGCONT, pid=pid)

    def _group(self, number: signal.Signals, *, pid: int | None = None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid or self._service.pid, number)


class ServerStrikes:
    """What is done to the server of the queue."""

    def __init__(
        self, server: RedisServer, *, rng: random.Random, ended: threading.Event, journal: Journal
    ) -> None:
        self._server = server
        self._rng = rng
        self._ended = ended
        self._journal = journal
        #: For how long it was away or hung, in all.
        self.seconds = 0.0

    def weighted(self) -> Mapping[Callable[[], None], int]:
        """All of them."""
        return {
            self.kill: 4, self.restart: 2, self.hang: 4, self.forget_scripts: 2, self.cut: 3,
        }  # fmt: skip

    def kill(self) -> None:
        """Kill it, and start it again after a while."""
        self._away(self._server.kill, "server killed")

    def restart(self) -> None:
        """Stop it, and start it again after a while."""
        self._away(self._server.stop, "server stopped")

    def _away(self, how: Callable[[], None], kind: str) -> None:
        seconds = self._rng.uniform(0, ABSENCE_SECONDS)
        self._journal.strike(kind, f"for {seconds:.1f} s")
        began = time.monotonic()
        how()
        self._ended.wait(seconds)
        self._server.start()
        self.seconds += time.monotonic() - began

    def hang(self) -> None:
        """Let it answer nothing for a while."""
        seconds = self._rng.uniform(1, HANG_SECONDS)
        self._journal.strike("server hung", f"for {seconds:.1f} s")
        self._server.pause()
        try:
            self._ended.wait(seconds)
        finally:
            self._server.resume()
        self.seconds += seconds

    def forget_scripts(self) -> None:
        """Empty its cache of scripts."""
        with self._server.client() as client:
            client.script_flush()
        self._journal.strike("scripts forgotten")

    def cut(self) -> None:
        """Close all connections of clients."""
        with self._server.client() as client:
            client.client_kill_filter(_type="normal", skipme=True)
        self._journal.strike("connections cut")


def _kind(pid: int) -> str:
    """Return what a process of a worker is there for."""
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_text()
        for kind in ("forkserver", "resource_tracker"):
            if f"multiprocessing.{kind}" in command:
                return kind
        return "worker" if children_of(pid) else "probes, or a worker that boots"
    return "gone"
