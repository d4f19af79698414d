"""Limits the time of a fetch, and ends it when it is cancelled."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds.

    Attributes:
        connect: For connecting to one address, and for the TLS handshake.
        idle: Between two chunks of a response.
        total: For one file, including redirects. Stops servers that send very slowly.
    """

    connect: float = 10.0
    idle: float = 15.0
    total: float = 120.0


class FetchEnded(Exception):
    """The fetch was cancelled."""


class FetchTooSlow(Exception):
    """The fetch exceeded its total time."""


class Watch:
    """Time limit of the fetch of one file. The fetch must call :meth:`left` repeatedly.

    Args:
        timeouts: The total time starts now.
        ended: Set to cancel the fetch.
    """

    def __init__(self, timeouts: Timeouts, ended: threading.Event) -> None:
        self.timeouts = timeouts
        self._until = time.monotonic() + timeouts.total
        self._ended = ended

    def left(self, most: float) -> float:
        """Return the remaining seconds, at most ``most``.

        Raises:
            FetchEnded: The fetch was cancelled.
            FetchTooSlow: No time is left.
        """
        if self._ended.is_set():
            raise FetchEnded
        left = self._until - time.monotonic()
        if left <= 0:
            raise FetchTooSlow
        return min(left, most)
