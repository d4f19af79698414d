"""Traces: one from a request through the queue to the phases of its render.

OpenTelemetry does the work, where the extra ``otel`` is installed and
``OTEL_EXPORTER_OTLP_ENDPOINT`` is set; else nothing is imported and nothing is
recorded. A trace goes on from process to process by W3C ``traceparent``.
"""

from app.tracing.opening import open_tracing
from app.tracing.spans import Span, Tracing

__all__ = ["Span", "Tracing", "open_tracing"]
