"""The processes of a soak: a server, the API, the scheduler and two worker services."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.actors.assembly import CRON_SUFFIX, SWEEP_SUFFIX
from app.cli.remote.addresses import LOOPBACK, free_ports
from app.client import PreviewClient
from app.ledger import Ledger, connect
from app.settings import Settings
from tests.conftest import wait_until
from tests.faults.history import LOGGED
from tests.faults.service import Service
from tests.support.processes import environment, running
from tests.support.redis_servers import RedisServer

#: Most live jobs; bursts of the load exceed it.
QUEUE_MAX: Final = 40
#: How long results and records are kept: results expire during a soak, records too.
RESULT_SECONDS, RECORD_SECONDS = 60.0, 120.0
#: What is acknowledged is on disk, or else a server that is killed may forget it: with
#: ``everysec`` it answers before it has written while an earlier fsync takes its time.
DURABLE: Final = (*LOGGED, "--appendfsync", "always")
#: Longest start of everything.
START_SECONDS = 90.0


@dataclass(frozen=True)
class System:
    """All that runs, but the scheduler.

    Attributes:
        calm: A worker that lives through all outages.
        unlucky: A worker that is killed, stopped and paused again and again.
        api: gunicorn's master.
        ledgers: Those of the cron tasks, the sweeps and the previews, in this order.
    """

    directory: Path
    settings: Settings
    server: RedisServer
    preview: PreviewClient
    calm: Service
    unlucky: Service
    api: subprocess.Popen[bytes]
    ledgers: tuple[Ledger, ...]


def soak_server(directory: Path) -> RedisServer:
    """Return a server whose append-only file tells all that has happened."""
    return RedisServer(directory / "redis", *DURABLE)


def soak_settings(directory: Path, server: RedisServer) -> Settings:
    """Return settings under which everything happens within minutes."""
    return Settings(
        redis_url=server.url,
        app_env="test",
        log_level="info",
        data_dir=directory / "data",
        health_host=LOOPBACK,
        health_port=0,
        preview_queue_name="soak",
        preview_queue_max=QUEUE_MAX,
        preview_max_attempts=3,
        preview_retry_base_seconds=0.1,
        preview_lease_seconds=3,
        preview_shutdown_grace_seconds=2,
        preview_api_port=free_ports(1)[0],
        preview_result_ttl_hours=RESULT_SECONDS / 3600,
        preview_record_ttl_days=RECORD_SECONDS / 86_400,
        preview_dlq_max=200,
        preview_dlq_replay_cron="* * * * *",
    )


class Calm(Service):
    """A worker that boots in peace: Dramatiq starts no probes beside one that takes too long."""

    def __init__(self, settings: Settings, log: Path, *, more: Mapping[str, str]) -> None:
        super().__init__(settings, log, more=more)
        self._arguments += ["--worker-fork-timeout", str(int(1000 * START_SECONDS))]


class Scheduler(Service):
    """periodiq, which ends at every outage that it notices, and is started again."""

    def __init__(self, settings: Settings, log: Path) -> None:
        super().__init__(settings, log)
        self._arguments = ["tests.soak.scheduler", "app.actors"]


@contextlib.contextmanager
def started(directory: Path, server: RedisServer) -> Iterator[System]:
    """Run the API and both workers, with their temporary files in ``directory``."""
    settings = soak_settings(directory, server)
    temporary = directory / "t"  # short: sockets have short names only
    temporary.mkdir()
    more = {"TMPDIR": str(temporary)}
    env = environment(settings, WEB_CONCURRENCY="2", **more)
    preview = PreviewClient.from_settings(settings)
    with (
        running(["gunicorn", "app.http.wsgi:app"], env=env, log=directory / "api.log") as api,
        Calm(settings, directory / "calm.log", more=more) as calm,
        Service(settings, directory / "unlucky.log", more=more) as unlucky,
    ):
        wait_until(
            lambda: _listens(settings.preview_api_port) and len(preview.queue().workers) == 2,
            "everything has started",
            seconds=START_SECONDS,
        )
        ledgers = tuple(_ledger(settings, suffix) for suffix in (CRON_SUFFIX, SWEEP_SUFFIX, ""))
        yield System(directory, settings, server, preview, calm, unlucky, api, ledgers)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 0.5):
        return True
    return False


def _ledger(settings: Settings, suffix: str) -> Ledger:
    return Ledger(
        connect(settings),
        queue=settings.preview_queue_name + suffix,
        lease_seconds=settings.preview_lease_seconds,
        max_starts=settings.preview_max_starts,
    )
