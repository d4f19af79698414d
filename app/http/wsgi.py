"""Entry point: ``gunicorn app.http.wsgi:app``. Importing it reads the environment."""

from __future__ import annotations

import sys

from app.client import PreviewClient
from app.errors import StorageUnavailable
from app.http.app import create_app
from app.logs import configure_logging
from app.metrics import Metrics
from app.probes import probe_ledger
from app.settings import SettingsError, load_settings
from app.storage import ArtifactStore
from app.tracing import open_tracing

#: Longest single request to a bucket: a thread of the API waits for it, which may be the last one.
READ_SECONDS = 10.0

try:
    _settings = load_settings()
    configure_logging(level=_settings.log_level, style=_settings.log_format)
    _metrics = Metrics(track=_settings.preview_track)
    #: The application.
    app = create_app(
        client=PreviewClient.from_settings(_settings, metrics=_metrics),
        store=ArtifactStore(_settings.artifact_url, request_seconds=READ_SECONDS),
        settings=_settings,
        metrics=_metrics,
        probes=probe_ledger(_settings),
        tracing=open_tracing(_settings, service="api"),
    )
except (SettingsError, StorageUnavailable) as error:
    sys.stderr.write(f"{error}\n")
    # 3 makes gunicorn stop as a whole; it would restart a worker that exits with 1 for ever.
    raise SystemExit(3) from None
