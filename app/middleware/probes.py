"""Probes: the worker's health, metrics and readiness, served by a process of its own."""

from __future__ import annotations

from collections.abc import Callable

from dramatiq import Middleware


class Probes(Middleware):
    """Makes Dramatiq's master start one probe server, whatever ``--processes`` is.

    Hooks: none; Dramatiq reads :attr:`forks`. Order: any.

    Args:
        serve: An importable function that serves until it is stopped.
    """

    def __init__(self, serve: Callable[[], int]) -> None:
        self._serve = serve

    @property
    def forks(self) -> list[Callable[[], int]]:
        """Functions that Dramatiq's master runs, each in its own process."""
        return [self._serve]
