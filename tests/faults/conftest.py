"""A worker, its server and the proxy between them, all real, to which faults happen."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import falcon.testing
import orjson
import pytest
import redis

from app.client import PreviewClient
from app.errors import BrokerUnavailable
from app.http import create_app
from app.ledger import Record
from app.ledger.connection import SOCKET_TIMEOUT_SECONDS
from app.metrics import Metrics
from app.probes import probe_ledger
from app.settings import Settings
from app.storage import ArtifactStore
from tests.conftest import wait_until
from tests.support.payloads import payload
from tests.support.probes import Probes
from tests.support.processes import worker
from tests.support.proxy import Proxy
from tests.support.redis_servers import RedisServer

#: Longest time that a call of a client may take: its socket's timeout, and some of a slow machine.
REFUSAL_SECONDS = SOCKET_TIMEOUT_SECONDS + 1.5
#: Changes to a payload that make it a render of some seconds.
RENDER: Mapping[str, Any] = {
    "dryRun": False,
    "previewRequest": {
        **payload()["previewRequest"],
        "steps": [
            {"id": f"s{n}", "text": "Wait.", "durationSec": 20,
             "motion": {"type": "slide", "endSec": 20}}
            for n in range(2)
        ],
        "options": {"resolution": "160x90", "fps": 60},
    },
}  # fmt: skip
_numbers = itertools.count(1)


@dataclass
class Faulty:
    """What the faults happen to. ``preview`` asks the server itself, not the proxy.

    Attributes:
        through: Settings of what reaches the server through the proxy, as the worker does.
        client: A client that does.
        submitted: Every job that was accepted.
    """

    server: RedisServer
    proxy: Proxy
    admin: redis.Redis
    through: Settings
    preview: PreviewClient
    probes: Probes
    log: Path
    pid: int
    submitted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = PreviewClient.from_settings(self.through)

    def submit(self, name: str, **changes: object) -> str:
        """Have a dry run accepted, or what ``changes`` make of it."""
        job_id = f"{name}-{next(_numbers)}"
        self.preview.submit(payload(job_id, **{"dryRun": True, **changes}))
        self.submitted.append(job_id)
        return job_id

    def rendering(self, name: str) -> str:
        """Have a render accepted, and wait until it runs."""
        job_id = self.submit(name, **RENDER)
        wait_until(lambda: self.preview.status(job_id).progress.frames_done > 0, "it renders")
        return job_id

    def refused(self, reason: str) -> None:
        """Fail unless client and API say ``reason`` of a submission, and soon."""
        document = payload(f"refused-{next(_numbers)}", dryRun=True)
        other = {**document, "jobId": f"refused-{next(_numbers)}"}
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self._api().simulate_post, "/api/preview/job", json=other)
            with pytest.raises(BrokerUnavailable, match=reason):
                self.client.submit(document)
            answer = asked.result()
        assert time.monotonic() - began < REFUSAL_SECONDS
        assert (answer.status_code, answer.json["code"]) == (503, "broker-unavailable")
        assert reason in answer.json["detail"]
        assert int(answer.headers["retry-after"]) > 0

    def _api(self) -> falcon.testing.TestClient:
        return falcon.testing.TestClient(
            create_app(
                client=self.client,
                store=ArtifactStore(self.through.artifact_url),
                settings=self.through,
                metrics=Metrics(track="stable"),
                probes=probe_ledger(self.through),
            )
        )

    def completed(self, job_id: str) -> Record:
        """Wait for a job that must succeed."""
        record = self.preview.wait(job_id, timeout_seconds=60)
        assert record.state == "completed", record
        return record

    def troubled(self, reason: str) -> None:
        """Wait until readiness and health are red and say why."""
        wait_until(lambda: self.probes.troubled(reason), f"the probes say {reason!r}")

    def recovered(self) -> None:
        """Wait until all is green; then a new job runs, none is lost and none ran twice."""
        wait_until(self.probes.ready, "the probes are green")
        self.completed(self.submit("after"))
        for job_id in self.submitted:
            assert self.completed(job_id).attempts == 1
        wait_until(lambda: set(self.ended()) >= set(self.submitted), "the log tells of all of them")
        assert max(self.ended().values()) == 1, "no job was committed twice"
        stats = self.preview.queue()
        assert (stats.depth, stats.failed) == (0, 0)
        assert set(self.probes.livez) == {200}, "no fault of Redis restarts a worker"

    def ended(self) -> Counter[str]:
        """How often the log tells that a job was completed."""
        lines = self.log.read_bytes().splitlines()
        told = [orjson.loads(line) for line in lines if b'"attempt.ended"' in line]
        return Counter(line["jobId"] for line in told if line["outcome"] == "completed")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """A server that persists, a proxy, and a worker that reaches the one through the other."""
    directory = tmp_path_factory.mktemp("faults")
    log = directory / "worker.log"
    with (
        RedisServer(directory / "redis", "--appendonly", "yes") as server,
        Proxy(server.port) as proxy,
    ):
        own = Settings(
            redis_url=server.url,
            app_env="test",
            data_dir=directory,
            preview_queue_name="faults",
            preview_queue_max=1000,
            health_host="127.0.0.1",
            health_port=0,
        )
        through = own.model_copy(update={"redis_url": proxy.url})
        with worker(through, log) as process, Probes(log) as probes, server.client() as admin:
            wait_until(probes.ready, "the worker is ready")
            preview = PreviewClient.from_settings(own)
            yield Faulty(server, proxy, admin, through, preview, probes, log, process.pid)


@pytest.fixture(autouse=True)
def contained(request: pytest.FixtureRequest) -> Iterator[None]:
    """End what a test that failed has left of its fault, and show what the worker has said."""
    if "faulty" not in request.fixturenames:
        yield
        return
    faulty: Faulty = request.getfixturevalue("faulty")
    before = faulty.log.stat().st_size
    yield
    said = faulty.log.read_bytes()[before:].decode(errors="replace")
    print(faulty.probes.health(), said, sep="\n")
    faulty.proxy.heal()
    faulty.server.resume()
    with contextlib.suppress(redis.RedisError):
        faulty.admin.script_kill()
    with contextlib.suppress(redis.RedisError):
        faulty.admin.replicaof("NO", "ONE")
        faulty.admin.config_set("maxmemory", "0")
