"""A running API with a key, and a running worker, as commands see them from outside."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.cli.remote.addresses import free_ports, http_get
from app.client import PreviewClient
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.processes import environment, running, worker

#: The key that the API wants.
API_KEY = "a-key-of-the-tests-0001"


@dataclass(frozen=True)
class Installation:
    """Settings, URLs of the API and of the worker's probes, and a file with the key."""

    settings: Settings
    api: str
    worker: str
    key_file: Path

    def preview(self, *arguments: str | Path) -> Result:
        """Run a command in this process, whose environment knows nothing of it."""
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    def client(self) -> PreviewClient:
        """A client of its queue."""
        return PreviewClient.from_settings(self.settings)


@contextlib.contextmanager
def installed(redis_url: str, directory: Path) -> Iterator[Installation]:
    """Run both with their data below ``directory``; waits until they are ready."""
    api_port, health_port = free_ports(2)
    settings = Settings(
        redis_url=redis_url,
        app_env="test",
        data_dir=directory,
        preview_queue_name=f"t-{uuid.uuid4().hex[:12]}",
        preview_api_port=api_port,
        health_host="127.0.0.1",
        health_port=health_port,
    )
    key_file = directory / "key"
    key_file.write_text(f"{API_KEY}\nnot the key\n")
    env = environment(settings, PREVIEW_API_KEYS=API_KEY, WEB_CONCURRENCY="1")
    server = running(["gunicorn", "app.http.wsgi:app"], env=env, log=directory / "api.log")
    with server, worker(settings, directory / "worker.log"):

        def ready(port: int) -> bool:
            with contextlib.suppress(OSError):
                return http_get(port, "/readyz")[0] == 200
            return False

        wait_until(lambda: ready(api_port) and ready(health_port), "both are ready", seconds=60)
        api, probes = (f"http://127.0.0.1:{port}" for port in (api_port, health_port))
        yield Installation(settings, api, probes, key_file)
