"""Workers that die at each boundary of a job's life, or lose the answer of a script.

One server and one supervised worker for all; at the end, the oracle reads the server's log.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dramatiq
import pytest

from app.actors.assembly import SWEEP_SUFFIX, build_worker
from app.client import PreviewClient
from app.ledger import Ledger
from app.metrics import Metrics
from app.settings import Settings
from app.storage import ArtifactStore
from tests.conftest import wait_until
from tests.faults.history import LOGGED, read_history
from tests.faults.oracle import broken_results, violations
from tests.faults.service import Service
from tests.support.payloads import payload, second_payload
from tests.support.processes import children_of
from tests.support.redis_servers import RedisServer

#: Where a worker may die, or think that nothing was done. Each must strike once.
POINTS = [
    "claim.before", "claim.after", "claim.lost",
    "beat.after", "beat.lost",
    "put.before", "put.after",
    "settle.before", "settle.after", "settle.lost",
]  # fmt: skip
QUEUE_MAX = 8


@dataclass
class Scene:
    """What all tests of this module share."""

    settings: Settings
    server: RedisServer
    preview: PreviewClient
    service: Service
    armed: Path
    accepted: set[str] = field(default_factory=set)

    def arm(self, point: str) -> None:
        (self.armed / point).touch()

    def struck(self, point: str) -> None:
        wait_until(lambda: not (self.armed / point).exists(), f"{point} strikes")

    def submit(self, job_id: str, *, slow: bool = False) -> None:
        self.preview.submit((second_payload if slow else payload)(job_id))
        self.accepted.add(job_id)

    def completes(self, job_id: str) -> None:
        record = self.preview.wait(job_id, timeout_seconds=60)
        assert record.state == "completed", record.error

    @contextlib.contextmanager
    def broken_disk(self) -> Iterator[None]:
        """Let every attempt fail, as on a full or absent disk."""
        work = self.settings.work_root
        hidden = work.with_name("hidden")
        if work.exists():
            work.rename(hidden)
        work.write_bytes(b"no directory")
        yield
        work.unlink()
        if hidden.exists():
            hidden.rename(work)

    def send(self, actor: str) -> None:
        """Send a cron task as the scheduler does."""
        broker = build_worker(self.settings, Metrics(track="stable")).broker
        task: dramatiq.Actor[[], None] = broker.actors[actor]
        task.send()
        broker.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("deaths")
    armed = directory / "armed"
    armed.mkdir()
    with RedisServer(directory / "redis", *LOGGED) as server:
        settings = Settings(
            redis_url=server.url,
            app_env="test",
            data_dir=directory / "data",
            preview_queue_name="deaths",
            preview_queue_max=QUEUE_MAX,
            health_port=0,
            health_host="127.0.0.1",
            preview_lease_seconds=2,
            preview_shutdown_grace_seconds=0,
            preview_result_ttl_hours=1e-9,
            preview_max_attempts=1,
        )
        preview = PreviewClient.from_settings(settings)
        more = {"SABOTAGE_DIR": str(armed)}
        log = directory / "worker.log"
        with Service(settings, log, module="tests.faults.saboteur", more=more) as service:
            wait_until(lambda: preview.queue().workers, "the worker is there")
            yield Scene(settings, server, preview, service, armed)
            # Shown with a failure: what the worker said last, and what of it is there.
            family = sorted(children_of(service.pid))
            print(f"{service.deaths} deaths, then {service.pid} with {family}")
            print(log.read_text(errors="replace")[-6000:])


@pytest.mark.parametrize("point", POINTS)
def test_a_job_is_completed_whatever_happens_to_its_worker(scene: Scene, point: str) -> None:
    scene.arm(point)
    scene.submit(f"job-{point}", slow=point.startswith("beat"))
    scene.submit(f"sibling-{point}")
    scene.struck(point)
    scene.completes(f"job-{point}")
    scene.completes(f"sibling-{point}")


def test_a_worker_that_dies_while_it_recovers_jobs_leaves_them_to_the_next(scene: Scene) -> None:
    for how in ("after", "lost"):
        scene.arm("beat.before")
        scene.arm(f"recover.{how}")
        scene.submit(f"recovered-{how}", slow=True)
        scene.struck("beat.before")
        scene.struck(f"recover.{how}")
        scene.completes(f"recovered-{how}")


@pytest.mark.parametrize("how", ["before", "after", "lost"])
def test_a_replay_that_is_cut_off_replays_once(scene: Scene, how: str) -> None:
    job_id = f"letter-{how}"
    with scene.broken_disk():
        scene.submit(job_id)
        assert scene.preview.wait(job_id, timeout_seconds=60).state == "failed"
    scene.preview.ledger._client.delete(scene.preview.ledger.keys["tick:replay"])
    scene.arm(f"replay.{how}")
    scene.send("replay_dead_letters")
    scene.struck(f"replay.{how}")
    wait_until(lambda: scene.preview.status(job_id).replays, "it is replayed")
    scene.completes(job_id)
    assert scene.preview.status(job_id).replays == 1


@pytest.mark.parametrize("point", ["sweep.after", "sweep.lost", "delete.before", "delete.after"])
def test_a_sweep_that_is_cut_off_is_finished_by_the_next(scene: Scene, point: str) -> None:
    store = ArtifactStore(scene.settings.artifact_url)
    job_id = f"swept-{point}"
    scene.submit(job_id)
    scene.completes(job_id)
    scene.arm(point)
    scene.send("sweep_results")
    scene.struck(point)
    scene.send("sweep_results")
    wait_until(lambda: job_id not in dict(store.attempts()), "its files are gone")
    wait_until(lambda: scene.preview.status(job_id).expired_at, "its record says so")
    queue = scene.settings.preview_queue_name + SWEEP_SUFFIX
    wait_until(
        lambda: (
            Ledger(scene.preview.ledger._client, queue=queue, lease_seconds=2, max_starts=3)
            .stats()
            .total
            == 0
        ),
        "the sweeps have ended",
    )


def test_the_log_of_the_server_shows_that_every_promise_was_kept(scene: Scene) -> None:
    scene.submit("last")
    scene.completes("last")
    ledger = scene.preview.ledger
    history = read_history(scene.server.directory, ledger.queue)
    assert len(history.events) > 6 * len(scene.accepted) > 6
    broken = violations(history, accepted=scene.accepted, ledger=ledger, queue_max=QUEUE_MAX)
    assert list(broken) == []
    records = ledger.list_jobs(state="completed", limit=200)[0]
    store = ArtifactStore(scene.settings.artifact_url)
    assert len(records) == len(scene.accepted)
    assert list(broken_results(records, store)) == []
