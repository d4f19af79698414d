"""Ends the processes of a stack whose supervisor was killed: run as a script, without the product.

Usage: python keeper.py < PIPE

The supervisor writes a line ``PID SECONDS`` for each process that it starts: its id and how long
it may take to end. When the pipe closes without a line ``done``, the supervisor is dead, and the
processes are ended as it would have done it, the last one first.

It imports the standard library alone and shares the lock of the stack's state file, so the next
``preview dev`` knows when everything has ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

#: Pause between two looks at a process that is to end.
POLL_SECONDS = 0.05


def end(pid: int, seconds: float) -> None:
    """Ask a process to end, wait for it, and kill what is left of its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            os.kill(pid, 0)  # raises once the process is gone
            time.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main() -> None:
    """Read until the pipe closes, then end what has been named."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    parts = [line.split() for line in sys.stdin]
    if ["done"] in parts:
        return
    for pid, seconds in reversed(parts):
        end(int(pid), float(seconds))


if __name__ == "__main__":
    main()
