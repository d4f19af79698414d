"""Workers that are paused for longer than their lease: what they wake up with no longer counts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.settings import Settings
from app.storage import ArtifactStore
from tests.conftest import wait_until
from tests.faults.history import LOGGED, read_history
from tests.faults.oracle import broken_results, violations
from tests.support.payloads import payload, second_payload
from tests.support.processes import children_of, environment, running, send_all
from tests.support.redis_servers import RedisServer


@dataclass
class Zombie:
    """A worker that can be paused, alone on its queue at first."""

    settings: Settings
    server: RedisServer
    preview: PreviewClient
    pid: int
    armed: Path
    directory: Path

    def family(self) -> set[int]:
        """Its worker processes and their renders, without Dramatiq's master."""
        return children_of(self.pid)

    def send(self, number: signal.Signals) -> None:
        send_all(self.family(), number)


@pytest.fixture
def zombie(tmp_path: Path) -> Iterator[Zombie]:
    armed = tmp_path / "armed"
    armed.mkdir()
    with RedisServer(tmp_path / "redis", *LOGGED) as server:
        settings = Settings(
            redis_url=server.url,
            app_env="test",
            data_dir=tmp_path / "data",
            preview_queue_name="zombies",
            health_port=0,
            health_host="127.0.0.1",
            preview_lease_seconds=2,
            preview_shutdown_grace_seconds=0,
        )
        env = environment(settings, SABOTAGE_DIR=str(armed))
        arguments = ["dramatiq", "tests.faults.saboteur", "--processes", "1", "--threads", "6"]
        with running(arguments, env=env, log=tmp_path / "zombie.log") as process:
            preview = PreviewClient.from_settings(settings)
            wait_until(lambda: preview.queue().workers, "the worker is there")
            yield Zombie(settings, server, preview, process.pid, armed, tmp_path)


def finished_elsewhere(zombie: Zombie, job_id: str) -> None:
    """Let another worker have the job, then wake the zombie and let it find out."""
    preview = zombie.preview
    env = environment(zombie.settings)
    arguments = ["dramatiq", "app.actors", "--processes", "1", "--threads", "4"]
    fence = preview.status(job_id).fence
    with running(arguments, env=env, log=zombie.directory / "other.log"):
        wait_until(lambda: preview.status(job_id).fence > fence, "another worker has it")
        record = preview.wait(job_id, timeout_seconds=90)
    assert record.state == "completed"
    zombie.send(signal.SIGCONT)
    preview.submit(payload("next"))
    assert preview.wait("next", timeout_seconds=60).state == "completed", "it works again"
    store = ArtifactStore(zombie.settings.artifact_url)
    wait_until(lambda: dict(store.attempts())[job_id] == [record.fence], "its leftovers are gone")
    wait_until(lambda: not list(zombie.settings.work_root.iterdir()), "its work directory is gone")
    assert preview.status(job_id) == record
    history = read_history(zombie.server.directory, preview.ledger.queue)
    broken = violations(history, accepted={job_id}, ledger=preview.ledger, queue_max=20)
    assert list(broken) == []
    assert list(broken_results([record], store)) == []


def test_a_worker_paused_while_it_renders_gives_up_when_it_wakes(zombie: Zombie) -> None:
    zombie.preview.submit(second_payload("job-1"))
    wait_until(lambda: zombie.preview.status("job-1").progress.frames_done > 0, "it renders")
    zombie.send(signal.SIGSTOP)
    finished_elsewhere(zombie, "job-1")


def test_a_worker_paused_before_it_settles_cannot_publish_its_files(zombie: Zombie) -> None:
    (zombie.armed / "settle.paused").touch()
    zombie.preview.submit(payload("job-1"))
    store = ArtifactStore(zombie.settings.artifact_url)
    wait_until(lambda: not (zombie.armed / "settle.paused").exists(), "it is paused")
    [(job_id, [fence])] = store.attempts()
    assert (job_id, fence) == ("job-1", zombie.preview.status("job-1").fence)
    finished_elsewhere(zombie, "job-1")
