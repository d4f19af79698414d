"""The cron tasks that replay and sweep, run by a real worker in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Worker

from app.actors.assembly import SWEEP_SUFFIX, WorkerParts, build_worker
from app.actors.replay_dead_letters import BATCH
from app.actors.sweep import SweepOrphans
from app.errors import ArtifactExpired, RenderFailed, ValidationFailed
from app.ledger import Ledger, Record
from app.metrics import Metrics
from app.settings import Settings
from app.storage import ArtifactStore, attempt_prefix
from tests.conftest import wait_until
from tests.ledger.jobs import admission, claim_next

#: Fences are times in µs; this one is two days old.
OLD_FENCE = int((time.time() - 2 * 86_400) * 1_000_000)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings under which every result has expired."""
    changes = {"preview_result_ttl_hours": 1e-9, "preview_queue_max": 8}
    return settings.model_copy(update=changes)


@pytest.fixture
def parts(settings: Settings) -> WorkerParts:
    return build_worker(settings, Metrics(track="stable"))


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    return ArtifactStore(settings.artifact_url)


@pytest.fixture
def housekeeper(parts: WorkerParts) -> Iterator[Worker]:
    """A worker of the housekeeping queues: dead letters that are replayed stay queued."""
    queue = parts.settings.preview_queue_name
    worker = Worker(
        parts.broker,
        queues={queue + ".cron", queue + ".sweep"},
        worker_threads=2,
        worker_timeout=200,
    )
    worker.start()
    yield worker
    worker.stop()


def run(parts: WorkerParts, actor: str) -> None:
    """Send a cron task and wait for its end."""
    task = parts.broker.actors[actor]
    task.send()
    queue = parts.broker.queues[task.queue_name]
    wait_until(lambda: queue.stats().total == 0, f"{actor} has ended")


def again(parts: WorkerParts, name: str) -> None:
    """Let the next tick count as one of another minute."""
    ledger = parts.ledger
    ledger._client.delete(ledger.keys[f"tick:{name}"])


def counted(parts: WorkerParts, name: str) -> float:
    counter: Any = getattr(parts.metrics, name)
    return float(counter._value.get())


def bury(ledger: Ledger, job_id: str, error: object = None) -> None:
    ledger.admit(admission(job_id), limit=None)
    job = claim_next(ledger)
    error = error or RenderFailed("It broke.").to_problem()
    ledger.settle(job_id, job.fence, "failed", fields={"error": error})


def complete(ledger: Ledger, store: ArtifactStore, job_id: str, source: Path) -> Record:
    """Bring a job to its end with a file in the store."""
    ledger.admit(admission(job_id), limit=None)
    job = claim_next(ledger)
    source.write_bytes(b"film")
    key = f"{attempt_prefix(job_id, job.fence)}/preview.mp4"
    store.put(key, source)
    artifact = {"kind": "video", "name": "preview.mp4", "key": key, "bytes": 4, "sha256": ""}
    ledger.settle(job_id, job.fence, "completed", fields={"artifacts": [artifact]})
    record = ledger.get(job_id)
    assert record is not None
    return record


def test_transient_dead_letters_are_replayed_and_permanent_ones_are_not(
    parts: WorkerParts, housekeeper: Worker
) -> None:
    for number in range(3):
        bury(parts.ledger, f"job-{number}")
    bury(parts.ledger, "wrong", ValidationFailed("It is wrong.").to_problem())
    run(parts, "replay_dead_letters")
    stats = parts.ledger.stats()
    assert (stats.waiting, stats.failed) == (3, 1)
    assert counted(parts, "replayed") == 3


def test_ticks_of_two_schedulers_in_a_minute_replay_once(
    parts: WorkerParts, housekeeper: Worker
) -> None:
    bury(parts.ledger, "a")
    run(parts, "replay_dead_letters")
    job = claim_next(parts.ledger)
    error = RenderFailed("It broke again.").to_problem()
    parts.ledger.settle("a", job.fence, "failed", fields={"error": error})
    run(parts, "replay_dead_letters")
    assert (parts.ledger.stats().waiting, parts.ledger.stats().failed) == (0, 1)


def test_the_replay_leaves_half_of_the_queue_to_authors(
    parts: WorkerParts, housekeeper: Worker
) -> None:
    for number in range(3):
        bury(parts.ledger, f"dead-{number}")
    for number in range(2):
        parts.ledger.admit(admission(f"live-{number}"), limit=None)
    run(parts, "replay_dead_letters")
    assert parts.ledger.stats().depth == 4, "half of eight"
    again(parts, "replay")
    run(parts, "replay_dead_letters")
    assert parts.ledger.stats().failed == 1


def test_the_replay_holds_back_while_most_jobs_fail(
    parts: WorkerParts, housekeeper: Worker, store: ArtifactStore, tmp_path: Path
) -> None:
    for number in range(5):
        bury(parts.ledger, f"job-{number}")
    run(parts, "replay_dead_letters")
    assert parts.ledger.stats().waiting == 0
    for number in range(5):
        complete(parts.ledger, store, f"good-{number}", tmp_path / "source")
    again(parts, "replay")
    run(parts, "replay_dead_letters")
    assert parts.ledger.stats().waiting == 4
    assert BATCH >= 4


def test_expired_results_lose_their_files_and_keep_their_record(
    parts: WorkerParts, housekeeper: Worker, store: ArtifactStore, tmp_path: Path
) -> None:
    record = complete(parts.ledger, store, "job-1", tmp_path / "source")
    run(parts, "sweep_results")
    with pytest.raises(ArtifactExpired):
        store.size(record.artifacts[0]["key"])
    after = parts.ledger.get("job-1")
    assert after is not None
    assert after.expired_at is not None
    assert list(store.attempts()) == []
    assert counted(parts, "swept") == 1
    run(parts, "sweep_results")
    assert counted(parts, "swept") == 1


def test_a_store_that_fails_is_swept_by_a_later_try(
    parts: WorkerParts,
    housekeeper: Worker,
    store: ArtifactStore,
    tmp_path: Path,
    settings: Settings,
) -> None:
    complete(parts.ledger, store, "job-1", tmp_path / "source")
    root = settings.data_dir / "artifacts"
    hidden = root.rename(tmp_path / "hidden")
    root.write_bytes(b"no directory")
    sweep = parts.broker.queues[settings.preview_queue_name + SWEEP_SUFFIX]
    parts.broker.actors["sweep_results"].send()
    wait_until(lambda: sweep.stats().delayed, "the sweep waits for its next try")
    record = parts.ledger.get("job-1")
    assert record is not None
    assert record.expired_at is not None, "nobody is given half of a result"
    root.unlink()
    hidden.rename(root)
    wait_until(lambda: sweep.stats().total == 0, "the sweep has ended")
    assert list(store.attempts()) == []


def test_files_that_no_record_names_are_swept_after_a_day(
    parts: WorkerParts, housekeeper: Worker, store: ArtifactStore, tmp_path: Path
) -> None:
    record = complete(parts.ledger, store, "job-1", tmp_path / "source")
    for prefix in (attempt_prefix("job-1", OLD_FENCE), attempt_prefix("unknown", OLD_FENCE)):
        store.put(f"{prefix}/preview.mp4", tmp_path / "source")
    unfinished = parts.settings.data_dir / "artifacts" / "dead" / str(OLD_FENCE)
    unfinished.mkdir(parents=True)
    (unfinished / "preview.mp4#1").write_bytes(b"half")
    run(parts, "sweep_orphans")
    assert list(store.attempts()) == [("job-1", [record.fence])]


def test_files_that_a_record_names_stay_however_old(
    parts: WorkerParts, store: ArtifactStore, housekeeper: Worker, tmp_path: Path
) -> None:
    done = complete(parts.ledger, store, "done", tmp_path / "source")
    parts.ledger.admit(admission("active"), limit=None)
    active = claim_next(parts.ledger)
    for fence in (active.fence, OLD_FENCE):
        store.put(f"{attempt_prefix('active', fence)}/preview.mp4", tmp_path / "source")
    sweep = parts.broker.actors["sweep_orphans"].fn
    assert isinstance(sweep, SweepOrphans)
    parts.broker.actors["sweep_orphans"].fn = SweepOrphans(
        sweep.ledger, sweep.store, sweep.shutdown, orphan_seconds=0
    )
    run(parts, "sweep_orphans")
    assert sorted(store.attempts()) == [("active", [active.fence]), ("done", [done.fence])]


def test_the_replay_can_be_turned_off(settings: Settings) -> None:
    off = settings.model_copy(update={"preview_dlq_replay_cron": "never"})
    actors = build_worker(off, Metrics(track="stable")).broker.actors
    assert "periodic" not in actors["replay_dead_letters"].options
    assert "periodic" in actors["sweep_results"].options
