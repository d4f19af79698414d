"""The interface of spans and tracing, with an implementation that records nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

#: Kind of a span: a request that is served, or a message that is consumed.
Kind = Literal["server", "consumer"]


class Span:
    """An operation in a trace. This class is not recorded and only passes on its ``traceparent``.

    Attributes:
        traceparent: W3C ``traceparent`` for operations that follow, "" for none.
    """

    def __init__(self, traceparent: str = "") -> None:
        self.traceparent = traceparent

    def phase(self, name: str) -> None:
        """Begin a phase, which ends the previous one. Does nothing if it is the current phase."""

    def end(self, *, error: str = "", attributes: Mapping[str, str | int] | None = None) -> None:
        """End the span and its current phase; ``error`` is the error code, "" for none."""


class Tracing:
    """Records nothing.

    Attributes:
        on: Whether spans are recorded.
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
            name: Name of the operation.
            kind: Kind of the span.
            traceparent: Parent of the span; "" begins a new trace.
            waited_seconds: Time that the operation has waited. With a parent, it is recorded as a
                span of its own.
            attributes: Attributes of the span.
        """
        _ = name, kind, waited_seconds, attributes
        return Span(traceparent)

    def close(self) -> None:
        """Send the remaining spans."""
