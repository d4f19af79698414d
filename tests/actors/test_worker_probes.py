"""The worker's own probes and the ports that they need."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx

from app.client import PreviewClient
from app.ledger import Record
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.payloads import payload
from tests.support.processes import worker


def finished(preview: PreviewClient, job_id: str) -> Record:
    return preview.wait(job_id, timeout_seconds=90)


def test_the_workers_own_probes_tell_of_all_its_processes(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log, processes=2):
        wait_until(lambda: log.exists() and "probes.listening" in log.read_text(), "probes listen")
        line = next(line for line in log.read_text().splitlines() if "probes.listening" in line)
        base = f"http://127.0.0.1:{json.loads(line)['port']}"
        wait_until(lambda: len(preview.queue().workers) == 2, "both processes are there")
        for number in range(4):
            preview.submit(payload(f"dry-{number}", dryRun=True))
        for number in range(4):
            finished(preview, f"dry-{number}")
        assert httpx.get(f"{base}/livez").status_code == 200
        assert httpx.get(f"{base}/readyz").status_code == 200
        health = httpx.get(f"{base}/api/preview/worker/health").json()
        assert health["status"] == "healthy"
        series = 'preview_jobs_dryrun_total{track="stable"} 4.0'
        wait_until(lambda: series in httpx.get(f"{base}/metrics").text, "all are counted")
        text = httpx.get(f"{base}/metrics").text
        assert 'preview_jobs_completed_total{track="stable"} 4.0' in text
        assert 'preview_workers_alive{track="stable"} 2.0' in text
        assert 'preview_redis_up{track="stable"} 1.0' in text


def test_a_taken_health_port_is_one_clear_line_and_the_worker_goes_on(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with worker(settings, log, more={"HEALTH_PORT": port}):
            preview.submit(payload("dry", dryRun=True))
            assert finished(preview, "dry").state == "completed"
            wait_until(lambda: "probes.cannot-listen" in log.read_text(), "it is said")
