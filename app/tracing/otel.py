"""Tracing with OpenTelemetry. Requires the extra ``otel``. Use :func:`app.tracing.open_tracing`.

OpenTelemetry reads its own ``OTEL_*`` variables (endpoint, headers, timeout, sampler:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app import __version__
from app.tracing.spans import Kind, Span, Tracing

_KINDS: Final = {"server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER}
_W3C: Final = TraceContextTextMapPropagator()
_NANOSECONDS: Final = 1_000_000_000
#: Longest wait for the collector at exit, so that a process ends before its supervisor kills it.
#: The default of the SDK is half a minute.
CLOSE_SECONDS: Final = 3.0


class OpenTelemetry(Tracing):
    """Records spans and sends them in batches from a background thread.

    Args:
        service: Kind of process. The ``service.name`` is ``preview-<service>``.
        track: ``stable``, ``canary`` or ``staging``.

    Raises:
        ValueError: An ``OTEL_*`` variable has an invalid value.
    """

    on = True

    def __init__(self, *, service: str, track: str) -> None:
        about = {
            SERVICE_NAME: f"preview-{service}", SERVICE_VERSION: __version__,
            "preview.track": track,
        }  # fmt: skip
        # Not the global provider, because several workers in a process each have their own.
        self._provider = TracerProvider(resource=Resource.create(about))
        self._provider.add_span_processor(_Batches(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("preview", __version__)

    def begin(
        self,
        name: str,
        *,
        kind: Kind,
        traceparent: str = "",
        waited_seconds: float = 0.0,
        attributes: Mapping[str, str | int] | None = None,
    ) -> Span:
        """Begin a recorded span; see :meth:`app.tracing.Tracing.begin`."""
        context = _W3C.extract({"traceparent": traceparent})
        now = time.time_ns()
        goes_on = trace.get_current_span(context).get_span_context().is_valid
        if goes_on and waited_seconds > 0:
            begun = now - round(waited_seconds * _NANOSECONDS)
            waiting = self._tracer.start_span("waiting", context, start_time=begun)
            waiting.end(now)
        span = self._tracer.start_span(
            name, context, kind=_KINDS[kind], attributes=attributes, start_time=now
        )
        return _Recorded(self._tracer, span)

    def close(self) -> None:
        """Send the remaining spans, within :data:`CLOSE_SECONDS`."""
        self._provider.shutdown()


class _Batches(BatchSpanProcessor):
    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=round(CLOSE_SECONDS * 1000))


class _Recorded(Span):
    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span
        self._context: Context = trace.set_span_in_context(span)
        self._phase: tuple[str, trace.Span] | None = None
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, self._context)
        super().__init__(carrier.get("traceparent", ""))

    def phase(self, name: str) -> None:
        if self._phase and self._phase[0] == name:
            return
        self._end_phase()
        self._phase = (name, self._tracer.start_span(name, self._context))

    def end(self, *, error: str = "", attributes: Mapping[str, str | int] | None = None) -> None:
        self._end_phase()
        self._span.set_attributes(attributes or {})
        if error:
            self._span.set_status(Status(StatusCode.ERROR, error))
            self._span.set_attribute("error.type", error)
        self._span.end()

    def _end_phase(self) -> None:
        if self._phase:
            self._phase[1].end()
            self._phase = None
