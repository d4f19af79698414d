"""What the processes count is what the ledger says."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from app.client import PreviewClient
from app.metrics import Metrics
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.payloads import long_payload, payload
from tests.support.probes import Probes
from tests.support.processes import worker


def counters(probes: Probes) -> dict[str, float]:
    """Scrape a worker's counters of jobs, by the name between ``preview_jobs_`` and ``_total``."""
    text = probes.get("/metrics").text
    return {
        sample.name.removeprefix("preview_jobs_").removesuffix("_total"): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("preview_jobs_")
    }


def test_counters_equal_the_ledger(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    metrics = Metrics(track="stable")
    preview = PreviewClient.from_settings(settings, metrics=metrics)
    broken = payload("broken")
    broken["previewRequest"]["steps"][0]["background"] = {"assetId": "picture"}
    broken["previewRequest"]["assets"] = [{"id": "picture", "type": "image", "path": "missing.png"}]
    with worker(settings, log):
        for number in range(3):
            preview.submit(payload(f"live-{number}"))
            preview.submit(payload(f"dry-{number}", dryRun=True))
        preview.submit(payload("live-0"))
        preview.submit(broken)
        assert preview.wait("broken", timeout_seconds=60).state == "failed"
        assert preview.dead_letters.replay(["broken"]).replayed == ("broken",)
        preview.submit(long_payload("unwanted"))
        wait_until(lambda: preview.status("unwanted").started_at, "it has begun")
        preview.cancel("unwanted")
        wait_until(lambda: preview.queue().depth == 0, "all have ended", seconds=60)
        stats, told = preview.queue(), counters(Probes(log))
    assert (stats.completed, stats.failed, stats.cancelled) == (6, 1, 1)
    mine = {name: getattr(metrics, name)._value.get() for name in told}
    total = {name: told[name] + mine[name] for name in told}
    assert total["accepted"] + total["replayed"] == (
        total["completed"] + total["failed"] + total["cancelled"] + stats.depth
    )
    assert total == {
        "accepted": 8,
        "started": 9,
        "completed": 6,
        "failed": 2,
        "retried": 0,
        "invalid": 0,
        "duplicate": 1,
        "cancelled": 1,
        "replayed": 1,
        "swept": 0,
        "dryrun": 3,
        "refused": 2,
    }
