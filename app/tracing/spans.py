"""Spans: what traces are made of, and the ones that record nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

#: What a span stands for: a request that is served, or a message that is consumed.
Kind = Literal["server", "consumer"]


class Span:
    """Something that takes time. This one is not recorded; it only hands on what it was given.

    Attributes:
        traceparent: What names it to whoever goes on from it, "" for nothing.
    """

    def __init__(self, traceparent: str = "") -> None:
        self.traceparent = traceparent

    def phase(self, name: str) -> None:
        """Say what is being done from now on; repeated calls of one name say nothing new."""

    def end(self, *, error: str = "", attributes: Mapping[str, str | int] | None = None) -> None:
        """End it, and the phase that is open; ``error`` is the code of what went wrong."""


class Tracing:
    """Records nothing.

    Attributes:
        on: Whether anything is recorded at all.
    """

    on = False

    def begin(
        self,
        name: str,
        *,
        kind: Kind,
        traceparent: str = "",
        waited_seconds: float = 0.0,
        attributes: Mapping[str, str | int] | None = None,
    ) -> Span:
        """Begin a span.

        Args:
            name: What is done.
            kind: What it stands for.
            traceparent: What it goes on from; "" begins a trace.
            waited_seconds: Time that this had been waiting, told as a span before it where it
                goes on from something.
            attributes: What is known of it.
        """
        _ = name, kind, waited_seconds, attributes
        return Span(traceparent)

    def close(self) -> None:
        """Send what is still held back."""
