"""The worker's own probes and the ports that they need."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.actors.monitor import listen
from app.broker import WorkerSigns
from app.client import PreviewClient
from app.ledger import Record
from app.settings import Settings
from app.temporary import PREFIX
from tests.conftest import wait_until
from tests.support.payloads import payload
from tests.support.probe_app import serving
from tests.support.probes import Probes
from tests.support.processes import worker

#: A bound for standing still that a test can wait for; a consumer turns every second.
STUCK_SECONDS = 3.0


def finished(preview: PreviewClient, job_id: str) -> Record:
    return preview.wait(job_id, timeout_seconds=90)


def signs_of(process: subprocess.Popen[bytes]) -> list[Path]:
    """The signs of life of a service's consumers, which are named after their processes."""
    service = f"{PREFIX}worker-{process.pid}-*"
    return list(Path(tempfile.gettempdir()).glob(f"{service}/*.sign"))


def test_the_workers_own_probes_tell_of_all_its_processes(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log, processes=2) as process:
        probes = Probes(log)
        wait_until(lambda: len(preview.queue().workers) == 2, "both processes are there")
        for number in range(4):
            preview.submit(payload(f"dry-{number}", dryRun=True))
        for number in range(4):
            finished(preview, f"dry-{number}")
        assert probes.status("/livez") == 200
        assert probes.ready()
        health = probes.health()
        assert (health["status"], health["claims"]["status"]) == ("healthy", "answered")
        series = 'preview_jobs_dryrun_total{track="stable"} 4.0'
        wait_until(lambda: series in probes.get("/metrics").text, "all are counted")
        text = probes.get("/metrics").text
        assert 'preview_jobs_completed_total{track="stable"} 4.0' in text
        assert 'preview_workers_alive{track="stable"} 2.0' in text
        assert 'preview_redis_up{track="stable"} 1.0' in text
        (last,) = [line for line in text.splitlines() if line.startswith("preview_worker_last")]
        assert abs(float(last.split()[1]) - time.time()) < 10
        assert signs_of(process)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert signs_of(process) == [], "they went with their consumers"


def test_a_worker_process_that_stands_still_is_seen_and_one_that_dies(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with worker(settings, log, processes=2) as process:
        probes = Probes(log)
        wait_until(probes.ready, "the service is ready")
        first, second = sorted({int(sign.name.split("-")[0]) for sign in signs_of(process)})
        life = WorkerSigns(signs_of(process)[0].parent, stuck_seconds=STUCK_SECONDS)
        with serving(settings, life=life) as impatient:
            os.kill(first, signal.SIGSTOP)
            wait_until(lambda: impatient.simulate_get("/livez").status_code == 503, "it is seen")
            assert "not responded" in impatient.simulate_get("/readyz").json["detail"]
            assert probes.status("/livez") == 200, "the real bound is longer"
            os.kill(first, signal.SIGCONT)
            for path in ("/livez", "/readyz"):
                wait_until(lambda: impatient.simulate_get(path).status_code == 200, "it goes on")  # noqa: B023 - called at once
            os.kill(second, signal.SIGKILL)
            wait_until(
                lambda: "is gone" in impatient.simulate_get("/livez").json.get("detail", ""),
                "its death is seen",
            )
        process.wait(60)


def test_a_taken_health_port_is_one_clear_line_and_the_worker_goes_on(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with worker(settings, log, more={"HEALTH_PORT": port}):
            preview.submit(payload("dry", dryRun=True))
            assert finished(preview, "dry").state == "completed"
            wait_until(lambda: "probes.cannot-listen" in log.read_text(), "it is said")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_probes_listen_on_addresses_of_either_kind(host: str) -> None:
    def app(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("204 No Content", [])
        return []

    try:
        server = listen(host, 0, app)
    except OSError as error:
        pytest.skip(f"this machine has no {host}: {error}")
    with server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        name = f"[{host}]" if ":" in host else host
        assert httpx.get(f"http://{name}:{server.server_port}/").status_code == 204
        thread.join()
