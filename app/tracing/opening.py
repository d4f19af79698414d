"""Opens tracing as configured."""

from __future__ import annotations

import importlib.util

from app.settings import Settings, SettingsError
from app.tracing.spans import Tracing


def open_tracing(settings: Settings, *, service: str) -> Tracing:
    """Return the tracing that ``settings`` configure, for the process kind ``service``.

    Raises:
        SettingsError: An endpoint is set but the extra is not installed, or an ``OTEL_*``
            variable has an invalid value.
    """
    if not settings.otel_exporter_otlp_endpoint:
        return Tracing()
    if importlib.util.find_spec("opentelemetry") is None:
        raise SettingsError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: "
            "pip install 'mobius-preview-worker[otel]', or unset it"
        )
    from app.tracing.otel import OpenTelemetry  # noqa: PLC0415 - costs 100 ms, and may not be there

    try:
        return OpenTelemetry(service=service, track=settings.preview_track)
    except ValueError as error:
        raise SettingsError(f"an OTEL_* variable has an invalid value: {error}") from error
