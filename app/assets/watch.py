"""How long a fetch may take, and whether anyone still waits for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Longest times in seconds.

    Attributes:
        connect: To reach one address of a server, and for its TLS handshake.
        idle: Between two pieces of an answer.
        total: For one file, redirects included: a slow drip ends here.
    """

    connect: float = 10.0
    idle: float = 15.0
    total: float = 120.0


class FetchEnded(Exception):
    """Nobody waits for the file any more."""


class FetchTooSlow(Exception):
    """The file took longer than it may."""


class Watch:
    """Watches over the fetch of one file, which asks it again and again.

    Args:
        timeouts: The clock starts now.
        ended: Set when nobody waits any more.
    """

    def __init__(self, timeouts: Timeouts, ended: threading.Event) -> None:
        self.timeouts = timeouts
        self._until = time.monotonic() + timeouts.total
        self._ended = ended

    def left(self, most: float) -> float:
        """Return the seconds that may still pass, at most ``most``.

        Raises:
            FetchEnded: Nobody waits any more.
            FetchTooSlow: None is left.
        """
        if self._ended.is_set():
            raise FetchEnded
        left = self._until - time.monotonic()
        if left <= 0:
            raise FetchTooSlow
        return min(left, most)
