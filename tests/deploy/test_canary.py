"""A canary beside stable workers on one queue, watched by a real Prometheus."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.remote.addresses import free_ports
from app.client import PreviewClient
from app.settings import Settings
from tests.conftest import wait_until
from tests.deploy.prometheus import Prometheus
from tests.faults.history import LOGGED, read_history
from tests.faults.oracle import violations
from tests.support.payloads import payload
from tests.support.processes import worker
from tests.support.redis_servers import RedisServer

pytestmark = pytest.mark.deploy_tools
QUEUE_MAX = 1000
#: Renderers without a film: what a worker of either kind does is what counts here.
RENDERERS = """
from app.render.result import RenderedFile, RenderResult


def plain(payload, *, out_dir, **_):
    out_dir.mkdir()
    (out_dir / "preview.txt").write_bytes(b"film")
    file = RenderedFile("video", "preview.txt", "text/plain", 4, "")
    return RenderResult(files=(file,), warnings=(), seconds=1.0, frames=1)


def broken(payload, **_):
    raise RuntimeError("this version cannot render")
"""


@dataclass
class Stage:
    """A queue, and workers of both tracks on it.

    Attributes:
        ports: Where stable, the broken and the sound canary show their metrics.
    """

    server: RedisServer
    settings: Settings
    site: Path
    preview: PreviewClient
    ports: list[int]

    def worker(
        self, number: int, *, track: str, renderer: str, slots: int
    ) -> contextlib.AbstractContextManager[Any]:
        """Run a worker whose renderer is one of :data:`RENDERERS`."""
        changes = {
            "preview_track": track, "preview_renderer": renderer,
            "preview_worker_concurrency": slots, "health_port": self.ports[number],
        }  # fmt: skip
        paths = [str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])]
        log = self.site / f"{number}.log"
        more = {"PYTHONPATH": os.pathsep.join(paths), "PREVIEW_FAULT_COOLDOWN_SECONDS": "30"}
        return worker(self.settings.model_copy(update=changes), log, more=more)

    def submit(self, name: str, jobs: int) -> list[str]:
        """Submit jobs and wait until all have completed."""
        names = [f"{name}-{number}" for number in range(jobs)]
        for job_id in names:
            self.preview.submit(payload(job_id))
        wait_until(lambda: not self.preview.queue().depth, "all jobs have ended", seconds=90)
        assert {self.preview.status(job_id).state for job_id in names} == {"completed"}
        return names

    def load(self, jobs: list[str]) -> None:
        """Add ten more to ``jobs``."""
        jobs += self.submit(f"after-{len(jobs)}", 10)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    site = tmp_path / "site"
    metadata = site / "rehearsal-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "rehearsal.py").write_text(RENDERERS)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: rehearsal\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[preview.renderers]\nplain = rehearsal:plain\nbroken = rehearsal:broken\n"
    )
    with RedisServer(tmp_path / "redis", *LOGGED) as server:
        settings = Settings(
            redis_url=server.url,
            app_env="test",
            data_dir=tmp_path,
            preview_queue_name="tracks",
            preview_queue_max=QUEUE_MAX,
            health_host="127.0.0.1",
            preview_retry_base_seconds=0.05,
            preview_retry_max_seconds=0.2,
        )
        preview = PreviewClient.from_settings(settings)
        yield Stage(server, settings, site, preview, free_ports(3))
        for log in site.glob("*.log"):
            print(log.read_text()[-3000:])


def scraped(server: Prometheus, port: int) -> bool:
    return bool(server.query(f'preview_job_attempts_total{{instance="127.0.0.1:{port}"}}'))


def report(server: Prometheus, *more: str) -> dict[str, Any]:
    url = f"http://{server._address}"
    command = ["canary-report", "--prometheus", url, "--window", "5m", "--json", *more]
    result = CliRunner().invoke(cli, command)
    told: dict[str, Any] = json.loads(result.stdout)
    exits = {"promote": 0, "wait": 10, "roll back": 20}
    assert result.exit_code == exits[told["verdict"]], result.output
    return told


def test_a_canary_that_fails_every_render_is_found_and_a_sound_one_is_promoted(
    stage: Stage, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: []\n")
    with (
        Prometheus(tmp_path, rules, stage.ports) as watcher,
        stage.worker(0, track="stable", renderer="plain", slots=2),
    ):
        with stage.worker(1, track="canary", renderer="broken", slots=1):
            wait_until(
                lambda: all(scraped(watcher, port) for port in stage.ports[:2]), "two scrapes"
            )
            jobs = stage.submit("first", 40)
            assert {stage.preview.status(job_id).track for job_id in jobs} == {"stable"}
            assert any(stage.preview.status(job_id).attempts > 1 for job_id in jobs)
            # It fails at once, and yet nearly all attempts are stable's: it rests after faults.
            assert sum(stage.preview.status(job_id).attempts - 1 for job_id in jobs) < 10
            told: dict[str, Any] = {}

            def found_out() -> bool:
                # Load goes on until it has enough to be judged by. The report that says so counts:
                # `increase` extrapolates, so that a later one may see a fault less.
                stage.load(jobs)
                told.update(report(watcher))
                return bool(told["verdict"] == "roll back")

            wait_until(found_out, "the canary is found out", seconds=60)
        assert (told["canary"]["completed"], told["stable"]["faults"]) == (0, 0)
        with stage.worker(2, track="canary", renderer="plain", slots=2):
            wait_until(lambda: scraped(watcher, stage.ports[2]), "the sound canary is scraped")
            jobs += stage.submit("second", 120)
            sound = ("--matching", f'instance!="127.0.0.1:{stage.ports[1]}"')

            def promoted() -> bool:
                stage.load(jobs)
                return bool(report(watcher, *sound)["verdict"] == "promote")

            wait_until(promoted, "the sound canary is promoted", seconds=60)
        assert {stage.preview.status(job_id).track for job_id in jobs} == {"stable", "canary"}
    history = read_history(stage.server.directory, stage.settings.preview_queue_name)
    broken = violations(history, accepted=jobs, ledger=stage.preview.ledger, queue_max=QUEUE_MAX)
    assert list(broken) == []
