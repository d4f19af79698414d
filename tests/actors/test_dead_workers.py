"""Workers that die by SIGKILL: what they held is rendered elsewhere."""

from __future__ import annotations

import functools
import signal
import subprocess
from pathlib import Path

from app.client import PreviewClient
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.clock import ServerClock
from tests.support.payloads import long_payload, payload
from tests.support.processes import children_of, renders_below, send_all, session_of, worker
from tests.support.redis_servers import RedisServer

#: The shortest lease that settings allow.
LEASE = {"PREVIEW_LEASE_SECONDS": "2", "PREVIEW_SHUTDOWN_GRACE_SECONDS": "0"}


def kill(process: subprocess.Popen[bytes]) -> set[int]:
    """Kill a worker service as the kernel would: its master and its worker processes."""
    family = children_of(process.pid)
    workers = {pid for pid in family if session_of(pid) == session_of(process.pid)}
    # All stop before the first dies: none may see another's death and tell the ledger of it.
    for number in (signal.SIGSTOP, signal.SIGKILL):
        send_all((process.pid, *workers), number)
    process.wait(30)
    return family


def test_a_killed_workers_job_is_rendered_by_another_within_lease_and_five_seconds(
    settings: Settings, preview: PreviewClient, log: Path, tmp_path: Path
) -> None:
    with worker(settings, log, more=LEASE) as first:
        preview.submit(long_payload("job-1"))
        wait_until(lambda: preview.status("job-1").progress.frames_done > 0, "it renders")
        with worker(settings, tmp_path / "second.log", more=LEASE):
            wait_until(lambda: len(preview.queue().workers) == 2, "the other is there")
            fence = preview.status("job-1").fence
            family = kill(first)
            wait_until(
                lambda: preview.status("job-1").fence > fence,
                "the other has the job",
                seconds=2 + 5,
            )
            wait_until(
                lambda: not any(Path(f"/proc/{pid}").exists() for pid in family),
                "no child outlives its worker",
            )
            assert preview.status("job-1").attempts == 0, "a death costs no attempt"
            preview.cancel("job-1")
            assert preview.wait("job-1", timeout_seconds=20).state == "cancelled"


def test_a_clock_that_is_set_back_by_an_hour_delays_no_recovery(
    settings: Settings, log: Path, tmp_path: Path
) -> None:
    clock = ServerClock(tmp_path)
    clock.set(ahead_seconds=3600)
    with RedisServer(tmp_path / "redis", env=clock.env) as server:
        own = settings.model_copy(update={"redis_url": server.url})
        preview = PreviewClient.from_settings(own)
        with worker(own, log, more=LEASE) as first:
            preview.submit(long_payload("job-1"))
            wait_until(lambda: preview.status("job-1").progress.frames_done > 0, "it renders")
            with worker(own, tmp_path / "second.log", more=LEASE):
                wait_until(lambda: len(preview.queue().workers) == 2, "the other is there")
                fence = preview.status("job-1").fence
                kill(first)
                clock.set(ahead_seconds=0)
                wait_until(
                    lambda: preview.status("job-1").fence > fence,
                    "the other has the job",
                    seconds=2 + 5,
                )
                wait_until(lambda: len(preview.queue().workers) == 1, "the dead one is forgotten")
                preview.cancel("job-1")
                assert preview.wait("job-1", timeout_seconds=20).state == "cancelled"


def test_a_job_that_kills_its_worker_every_time_is_dead_lettered_and_others_go_on(
    settings: Settings, preview: PreviewClient, log: Path
) -> None:
    more = {**LEASE, "PREVIEW_MAX_STARTS": "2", "PREVIEW_WORKER_CONCURRENCY": "1"}
    own = settings.model_copy(update={"preview_max_starts": 2})

    def claimed_after(fence: int) -> bool:
        return preview.status("poison").fence > fence

    fence = 0
    preview.submit(long_payload("poison"))
    preview.submit(payload("sibling"))
    for _ in range(2):
        with worker(own, log, more=more) as process:
            wait_until(functools.partial(claimed_after, fence), "it is claimed", seconds=60)
            fence = preview.status("poison").fence
            wait_until(functools.partial(renders_below, process.pid), "it renders")
            kill(process)
    with worker(own, log, more=more):
        record = preview.wait("poison", timeout_seconds=30)
        assert record.state == "failed"
        assert record.error is not None
        assert record.error["code"] == "worker-lost"
        assert preview.wait("sibling", timeout_seconds=60).state == "completed"
