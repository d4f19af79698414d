"""One child process: its output read to the end, stopped gently, then by force."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

#: Lines kept of a child's output, to be shown when it dies.
TAIL_LINES = 20
#: Pause between two looks at a child that is to end.
POLL_SECONDS = 0.05
#: Wait for the rest of the output of a child that has ended.
_DRAIN_SECONDS = 2.0


class Child:
    """A process in a session of its own, so that a terminal's Ctrl-C does not reach it.

    Args:
        name: What it is called in messages.
        command: The program and its arguments.
        env: Its whole environment.
        cwd: Its working directory.
        on_line: Called from a thread with each line of its output.
        keep_open: File descriptors that it inherits.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        on_line: Callable[[str, str], None],
        keep_open: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._on_line = on_line
        self._process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
        self._reader = threading.Thread(target=self._read, name=f"{name}-output", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id, which is also that of its process group."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return the exit code (−N: killed by signal N), None while it runs."""
        return self._process.poll()

    def stop(self, *, seconds: float, hurry: Callable[[], bool]) -> bool:
        """End the process and whatever is left of its group.

        SIGTERM goes once and to the main process only: Dramatiq's workers take
        a second one as an order to drop their jobs.

        Args:
            seconds: How long it may take to end by itself.
            hurry: Polled; true cuts the wait short.

        Returns:
            Whether it ended by itself.
        """
        gentle = self.exit_code() is not None
        if not gentle:
            self._process.terminate()
            gentle = self._wait(time.monotonic() + seconds, hurry)
        # The group exists as long as any member does, so its id cannot be another's.
        # macOS answers EPERM for a group of zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self.drain()
        return gentle

    def drain(self) -> None:
        """Wait until the output of the ended process has been read."""
        self._reader.join(_DRAIN_SECONDS)

    def _wait(self, deadline: float, hurry: Callable[[], bool]) -> bool:
        while self.exit_code() is None:
            if time.monotonic() > deadline or hurry():
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\r\n")
                self.tail.append(line)
                self._on_line(self.name, line)
