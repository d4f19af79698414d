"""The probes' application without a server, and what a scrape of it says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import falcon.testing
from prometheus_client.parser import text_string_to_metric_families

from app.broker import WorkerLife
from app.metrics import Metrics
from app.probes import create_probe_app, probe_ledger
from app.settings import Settings

#: Path of the health document.
HEALTH = "/api/preview/worker/health"


@contextlib.contextmanager
def serving(
    settings: Settings, *, life: Callable[[], WorkerLife] | None = None
) -> Iterator[falcon.testing.TestClient]:
    """The probes on ``settings``: the API's, or those of the worker whose signs ``life`` reads."""
    metrics = Metrics(track=settings.preview_track)
    ledger = probe_ledger(settings)
    with ledger._client:
        app = create_probe_app(settings=settings, metrics=metrics, ledger=ledger, life=life)
        yield falcon.testing.TestClient(app)


def gauges(probes: falcon.testing.TestClient) -> dict[tuple[str, ...], float]:
    """The gauges of a scrape by name and the values of their labels, sorted by label."""
    result = probes.simulate_get("/metrics")
    assert result.status_code == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(result.text)
        if family.type == "gauge"
        for sample in family.samples
        if not sample.name.endswith("_created")  # of a counter
    }
