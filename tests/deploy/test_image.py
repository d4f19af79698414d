"""The three processes of the image as it runs them: read-only root, no rights, declared volumes."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli.remote.addresses import free_ports
from tests.conftest import wait_until
from tests.deploy.cgroup import MemoryGroup, memory_group
from tests.deploy.image import (
    Image,
    config,
    deployment,
    health_command,
    open_directory,
    own,
    strangers,
)
from tests.deploy.tools import ROOT, passes
from tests.support.payloads import payload
from tests.support.processes import children_of, renders_below

pytestmark = pytest.mark.deploy_tools

KEY = "a-key-of-the-test-0123"
#: What the manifest allows a worker.
LIMIT_MIB = 512


@dataclass
class Stack:
    """The processes, and how to reach them."""

    image: Image
    processes: dict[str, subprocess.Popen[bytes]]
    logs: dict[str, Path]
    volumes: Path
    api: httpx.Client
    health_port: int
    limited: MemoryGroup | None

    def post(self, job: dict[str, Any]) -> str:
        answer = self.api.post("/api/preview/job", json=job)
        assert answer.status_code == 202, answer.text
        return str(job["jobId"])

    def state(self, job_id: str) -> str:
        return str(self.api.get(f"/api/preview/job/{job_id}/status").json()["status"])

    def ended(self, job_id: str) -> bool:
        return self.state(job_id) in ("completed", "failed")

    def health(self, port: int) -> int:
        words = health_command()
        command = [str(self.image.bin / words[0]), *words[1:]]
        env = {"HEALTH_PORT": str(port)}
        return subprocess.run(command, env=env, check=False, capture_output=True).returncode


def film(job_id: str) -> dict[str, Any]:
    """Return three steps of the example at 1280x720: pictures, motion, narration, music."""
    whole = json.loads((ROOT / "examples" / "tutorial.json").read_text())
    request, kept = whole["previewRequest"], ("welcome", "box", "walk")
    request["steps"] = [step for step in request["steps"] if step["id"] in kept]
    spoken = request["audio"]["narration"]
    request["audio"]["narration"] = [item for item in spoken if item["stepId"] in kept]
    assert request["options"]["resolution"] == "1280x720"
    return {**whole, "jobId": job_id}


def memory_mib(pid: int) -> float:
    """Return what a process and its descendants hold, shared pages once."""
    total = 0
    for member in {pid, *children_of(pid)}:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
            total += int(rollup.partition("Pss:")[2].split()[0])
    return total / 1024


@pytest.fixture(scope="module")
def stack(embedded_url: str) -> Iterator[Stack]:
    api_port, health_port = free_ports(2)
    with ExitStack() as opened:
        image = Image(opened.enter_context(open_directory("preview-image-")))
        volumes = opened.enter_context(open_directory("preview-volumes-"))
        shared = volumes / "artifacts"
        shared.mkdir()
        own(shared)
        env = {
            "REDIS_URL": embedded_url,
            "PREVIEW_QUEUE_NAME": "image",
            "STORAGE_URL": shared.as_uri(),
            "PREVIEW_API_KEYS": KEY,
            "PREVIEW_API_HOST": "127.0.0.1",
            "PREVIEW_API_PORT": str(api_port),
            "HEALTH_HOST": "127.0.0.1",
            "HEALTH_PORT": str(health_port),
            "PREVIEW_ASSET_ROOT": str(image.assets),
        }
        limited = opened.enter_context(memory_group(LIMIT_MIB))
        names = ("api", "worker", "scheduler")
        logs = {name: volumes / f"{name}.log" for name in names}
        processes = {
            name: opened.enter_context(
                image.running(name, env={**env, **image.writable(volumes, name)}, log=logs[name])
            )
            for name in names
        }
        if limited:
            limited.add(processes["worker"].pid)
        url, headers = f"http://127.0.0.1:{api_port}", {"Authorization": f"Bearer {KEY}"}
        client = httpx.Client(base_url=url, headers=headers, trust_env=False)
        api = opened.enter_context(client)
        made = Stack(image, processes, logs, volumes, api, health_port, limited)

        def ready() -> bool:
            try:
                worker = httpx.get(f"http://127.0.0.1:{health_port}/readyz", trust_env=False)
                return worker.is_success and api.get("/readyz").is_success
            except httpx.TransportError:
                dead = [name for name, process in processes.items() if process.poll() is not None]
                assert not dead, {name: logs[name].read_text()[-2000:] for name in dead}
                return False

        wait_until(ready, "API and worker are ready", seconds=60)
        yield made


def test_a_dry_run_and_a_render_come_out_of_a_read_only_image(stack: Stack) -> None:
    jobs = [stack.post({**payload("dry"), "dryRun": True}), stack.post(payload("live"))]
    for job in jobs:
        wait_until(functools.partial(stack.ended, job), f"{job} ends", seconds=60)
    assert [stack.state(job) for job in jobs] == ["completed", "completed"]
    film = stack.api.get("/api/preview/job/live/artifact")
    assert film.is_success
    assert film.content[4:8] == b"ftyp"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_two_films_at_once_stay_below_the_memory_of_a_pod(stack: Stack) -> None:
    limit = deployment("worker")["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limit["memory"] == f"{LIMIT_MIB}Mi"
    assert config()["PREVIEW_WORKER_CONCURRENCY"] == "2"
    worker, peak, together = stack.processes["worker"].pid, 0.0, 0
    jobs = [stack.post(film(f"film-{number}")) for number in range(2)]

    def both_have_ended() -> bool:
        nonlocal peak, together
        peak = max(peak, memory_mib(worker))
        together = max(together, len(renders_below(worker)))
        return all(map(stack.ended, jobs))

    wait_until(both_have_ended, "both films end", seconds=90)
    assert [stack.state(job) for job in jobs] == ["completed", "completed"]
    assert together == 2
    assert 200 < peak < LIMIT_MIB
    assert not stack.limited or stack.limited.kills == 0


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
def test_the_limit_of_memory_is_one_that_kills() -> None:
    with memory_group(64) as limited:
        if not limited:
            pytest.skip("this machine lets nobody make a control group")
        greedy = "import sys; sys.stdin.readline(); bytearray(128 << 20)"
        with subprocess.Popen([sys.executable, "-c", greedy], stdin=subprocess.PIPE) as process:
            limited.add(process.pid)
            process.communicate(b"go\n")
        assert (process.returncode, limited.kills) == (-signal.SIGKILL, 1)


def test_the_images_own_health_check_tells_living_from_dead(stack: Stack) -> None:
    assert stack.health(stack.health_port) == 0
    assert stack.health(stack.api.base_url.port or 0) == 0
    assert stack.health(free_ports(1)[0]) != 0


def test_nothing_is_written_outside_of_the_declared_volumes_and_all_end_in_order(
    stack: Stack,
) -> None:
    assert {name: process.poll() for name, process in stack.processes.items()} == {
        "api": None,
        "worker": None,
        "scheduler": None,
    }
    for process in stack.processes.values():
        process.terminate()
    ends = {name: process.wait(40) for name, process in stack.processes.items()}
    # periodiq has nothing to end: it dies of the signal.
    assert ends == {"api": 0, "worker": 0, "scheduler": -signal.SIGTERM}
    assert strangers(stack.volumes, stack.image.root) == []
    # Counters of a boot; the next one removes them.
    left = [path.name for path in stack.volumes.glob("*-tmp/*")]
    assert [name for name in left if not name.startswith("preview-tmp-worker-")] == []
    for log in stack.logs.values():
        text = log.read_text()
        assert not re.search(r"Read-only|Permission denied|Traceback", text), text[-3000:]
        assert not re.search(
            r'\[(WARNING|ERROR|CRITICAL)\]|"level":"(warning|error|critical)"', text
        )


@pytest.mark.skipif(sys.platform != "linux", reason="the image is for Linux")
def test_wheels_need_no_library_that_the_base_image_lacks(stack: Stack) -> None:
    libraries = [path for path in stack.image.root.glob("opt/**/*.so*") if path.is_file()]
    needed = re.findall(r"^\s+(\S+) => (.+) \(", passes("ldd", *libraries), re.MULTILINE)
    foreign = {name for name, found in needed if not found.startswith(str(stack.image.root))}
    # glibc, and what apt and Python of the slim image need themselves.
    glibc = {f"lib{name}.so" for name in ("c", "m", "mvec", "pthread", "dl", "rt")}
    others = {"libgcc_s.so", "libstdc++.so", "libz.so"}
    assert {name.rpartition(".so")[0] + ".so" for name in foreign} <= glibc | others
    assert "libstdc++.so.6" in foreign
