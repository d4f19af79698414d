"""Signals that end a stack: counted, so that nothing is cut off in its middle."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Self

#: Ctrl-C, a service manager, a closed terminal.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Counts the requests to end while it is entered; nothing is raised.

    Raising KeyboardInterrupt could hit the shutdown itself and leave a process
    behind. Use in the main thread.
    """

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        """Take over."""
        for number in _ENDING:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Give back what was there."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # it came from signal()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
