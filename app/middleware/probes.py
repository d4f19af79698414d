"""Probes: the worker's own health, metrics and readiness, in a process beside the workers."""

from __future__ import annotations

from collections.abc import Callable

from dramatiq import Middleware


class Probes(Middleware):
    """Has Dramatiq's master start the probe server once, whatever ``--processes`` says.

    Hooks: none; Dramatiq asks for :attr:`forks`. Order: any.

    Args:
        serve: An importable function that serves until it is stopped.
    """

    def __init__(self, serve: Callable[[], int]) -> None:
        self._serve = serve

    @property
    def forks(self) -> list[Callable[[], int]]:
        """Functions that Dramatiq's master runs in processes of their own."""
        return [self._serve]
