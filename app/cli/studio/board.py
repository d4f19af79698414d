"""The studio's state, and those who wait for it to change."""

from __future__ import annotations

import threading
from typing import Any


class Board:
    """What the page shows, as one JSON object. Thread-safe.

    Args:
        state: What it says at first.
    """

    def __init__(self, **state: Any) -> None:
        self._changed = threading.Condition()
        self._state = state
        self._number = 1
        self.closed = False

    def post(self, **changes: Any) -> None:
        """Change members of the state."""
        with self._changed:
            if any(self._state.get(name) != value for name, value in changes.items()):
                self._state = {**self._state, **changes}
                self._number += 1
                self._changed.notify_all()

    def read(self) -> dict[str, Any]:
        """Return the state as it is."""
        with self._changed:
            return self._state

    def wait(self, seen: int, *, seconds: float) -> tuple[int, dict[str, Any]] | None:
        """Wait for a state with another number than ``seen``.

        Returns:
            Its number and the state; None if ``seconds`` have passed or the board is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self._number != seen, seconds)
            if self.closed or self._number == seen:
                return None
            return self._number, self._state

    def close(self) -> None:
        """Have nobody wait any longer."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()
