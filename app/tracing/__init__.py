"""Traces: one trace covers a request, its wait in the queue and the phases of its render.

Traces are recorded with OpenTelemetry if the extra ``otel`` is installed and
``OTEL_EXPORTER_OTLP_ENDPOINT`` is set. Otherwise OpenTelemetry is not imported. A W3C
``traceparent`` carries the trace from process to process.
"""

from app.tracing.opening import open_tracing
from app.tracing.spans import Span, Tracing

__all__ = ["Span", "Tracing", "open_tracing"]
