"""A backup is taken while the system runs, and restored after the server is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.client import PreviewClient
from app.settings import Settings
from app.storage import ArtifactStore
from tests.conftest import wait_until
from tests.faults.oracle import broken_results
from tests.ledger.jobs import claim_next
from tests.support.payloads import payload
from tests.support.processes import worker
from tests.support.redis_servers import RedisServer


def client_of(server: RedisServer, tmp_path: Path) -> tuple[Settings, PreviewClient]:
    settings = Settings(
        redis_url=server.url,
        app_env="test",
        data_dir=tmp_path / "data",
        preview_queue_name="backup",
        health_port=0,
        health_host="127.0.0.1",
        preview_lease_seconds=2,
    )
    return settings, PreviewClient.from_settings(settings)


def test_every_job_of_a_backup_ends_after_its_restore(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "lost") as server:
        settings, preview = client_of(server, tmp_path)
        for name in ("done", "dead", "running", "waiting"):
            preview.submit(payload(name))
            if name == "done":
                with worker(settings, tmp_path / "first.log"):
                    assert preview.wait(name, timeout_seconds=60).state == "completed"
            if name == "dead":
                job = claim_next(preview.ledger)
                error = {"code": "render-failed", "retryable": True}
                preview.ledger.settle(name, job.fence, "failed", fields={"error": error})
            if name == "running":
                zombie = claim_next(preview.ledger)
        with server.client() as admin:
            saved = admin.lastsave()
            admin.bgsave()
            wait_until(lambda: admin.lastsave() != saved, "the snapshot is on disk")
        copy = shutil.copy(server.directory / "dump.rdb", tmp_path / "backup.rdb")
        preview.submit(payload("too-late"))
        preview.cancel("waiting")
    (tmp_path / "new").mkdir()
    shutil.copy(copy, tmp_path / "new" / "dump.rdb")
    with RedisServer(tmp_path / "new") as server:
        settings, preview = client_of(server, tmp_path)
        assert preview.ledger.get("too-late") is None, "accepted after the backup"
        with worker(settings, tmp_path / "second.log"):
            for name in ("running", "waiting"):
                assert preview.wait(name, timeout_seconds=60).state == "completed", name
            assert preview.ledger.settle("running", zombie.fence, "completed") == "stale"
            preview.dead_letters.replay(["dead"])
            assert preview.wait("dead", timeout_seconds=60).state == "completed"
            assert not preview.submit(payload("too-late")).replayed, "its author sends it again"
            assert preview.wait("too-late", timeout_seconds=60).state == "completed"
        records = preview.jobs(state="completed")[0]
        assert {record.job_id for record in records} == {
            "done",
            "dead",
            "running",
            "waiting",
            "too-late",
        }
        assert list(broken_results(records, ArtifactStore(settings.artifact_url))) == []
