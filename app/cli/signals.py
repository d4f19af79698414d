"""Signals that end a command: counted, so that nothing is cut off in its middle."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Self

#: Ctrl-C, a service manager, a closed terminal.
_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Signals:
    """Counts the requests to end while it is entered; nothing is raised.

    Raising KeyboardInterrupt wherever the program happens to be could hit a
    shutdown and leave a process behind, or a finaliser, where Python ignores it.
    Use in the main thread.
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

    def check(self) -> None:
        """Return unless an end was asked for.

        Raises:
            KeyboardInterrupt: It was.
        """
        if self.count:
            raise KeyboardInterrupt
