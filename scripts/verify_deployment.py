"""Checks a deployment in a cluster from outside: ``verify_deployment.py OVERLAY``.

``kubectl`` reports rollouts and pods. Probes, metrics and a dry run go through ``kubectl
port-forward`` to one API and one worker of the overlay's track, so that a canary is checked even
though it has no Service. The exit code is 1 if a check fails.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from app.cli.checks.findings import Finding
from app.cli.checks.report import report
from app.cli.commands.verify import verify_installation
from app.cli.output.console import clean
from app.cli.output.exits import CommandFailed
from app.cli.remote.api import Api, read_key

#: Namespace and track of each overlay; a test compares them with kustomize/overlays.
OVERLAYS = {
    "staging": ("mobius-preview-staging", "staging"),
    "canary": ("mobius-preview", "canary"),
    "production": ("mobius-preview", "stable"),
}
#: Ports of the pods.
API_PORT, WORKER_PORT = 8000, 3000
#: Timeout of a kubectl command, and of opening a tunnel.
KUBECTL_SECONDS = 30.0
#: Label of a Deployment's pods that names the component.
COMPONENT = "app.kubernetes.io/component"
_TUNNEL = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ")


@dataclass(frozen=True)
class Cluster:
    """A namespace and a track in a cluster."""

    context: str
    namespace: str
    track: str
    rollout_seconds: float

    def kubectl(self, *arguments: str) -> list[str]:
        """Return a command of kubectl."""
        context = ["--context", self.context] if self.context else []
        return ["kubectl", *context, "--namespace", self.namespace, *arguments]

    def ask(self, *arguments: str, seconds: float = KUBECTL_SECONDS) -> str:
        """Run a kubectl command and return its output.

        Raises:
            CommandFailed: kubectl is missing, fails or times out.
        """
        command = self.kubectl(*arguments)
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=seconds
            )
        except FileNotFoundError:
            raise CommandFailed("kubectl is not on the PATH") from None
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"timed out after {seconds:g} s: {' '.join(command)}") from None
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise CommandFailed(f"{' '.join(command)}: {clean(' '.join(last))}")
        return done.stdout

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind on this track."""
        answer = self.ask("get", kind, "--selector", f"track={self.track}", "-o", "json")
        items: list[dict[str, Any]] = json.loads(answer)["items"]
        return items

    @contextlib.contextmanager
    def tunnel(self, deployment: str, port: int) -> Iterator[str]:
        """Forward a free local port to a pod. Yield the local URL."""
        command = self.kubectl("port-forward", f"deployment/{deployment}", f":{port}")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                yield f"http://127.0.0.1:{_tunnel_port(process)}"
            finally:
                process.terminate()


def _tunnel_port(process: subprocess.Popen[str]) -> int:
    """Return the local port. Keeps reading kubectl's output, because a full pipe would block it."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, name="tunnel", daemon=True).start()
    deadline, last = time.monotonic() + KUBECTL_SECONDS, ""
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise CommandFailed(
                f"kubectl port-forward timed out after {KUBECTL_SECONDS:g} s: {clean(last)}"
            ) from None
        if line is None:
            raise CommandFailed(f"kubectl port-forward: {clean(last) or 'it exited'}")
        last = line.strip()
        match = _TUNNEL.match(line)
        if match:
            return int(match[1])


def deployments(cluster: Cluster) -> tuple[dict[str, str], list[Finding]]:
    """Return the Deployments of the track by component, and findings about their rollouts."""
    names: dict[str, str] = {}
    found: list[Finding] = []
    for item in cluster.items("deployments"):
        name = item["metadata"]["name"]
        names[item["spec"]["template"]["metadata"]["labels"].get(COMPONENT, name)] = name
        wait = f"--timeout={cluster.rollout_seconds:g}s"
        try:
            cluster.ask(
                "rollout",
                "status",
                f"deployment/{name}",
                wait,
                seconds=cluster.rollout_seconds + KUBECTL_SECONDS,
            )
        except CommandFailed as error:
            remedy = f"kubectl --namespace {cluster.namespace} describe deployment {name}"
            found.append(Finding("rollout", "fail", str(error), remedy))
        else:
            replicas = item["spec"].get("replicas", 1)
            found.append(Finding("rollout", "ok", f"{name}, {replicas} replicas requested"))
    for needed in ("worker", "api"):
        if needed not in names:
            problem = f"{cluster.namespace} has no {needed} with track={cluster.track}"
            found.append(Finding("rollout", "fail", problem, "apply the overlay"))
    return names, found


def pods(cluster: Cluster) -> Iterator[Finding]:
    """Yield a finding for each pod: readiness, image and restarts."""
    for pod in cluster.items("pods"):
        if pod["metadata"].get("deletionTimestamp"):
            continue  # it is terminating
        name, status = pod["metadata"]["name"], pod.get("status", {})
        conditions = {item["type"]: item for item in status.get("conditions", ())}
        ready = conditions.get("Ready", {})
        states = status.get("containerStatuses", ())
        images = ", ".join(sorted({state["image"] for state in states})) or "no image yet"
        restarts = sum(state["restartCount"] for state in states)
        logs = f"kubectl --namespace {cluster.namespace} logs --previous {name}"
        if status.get("phase") in ("Failed", "Succeeded"):  # for instance evicted, and replaced
            remedy = f"kubectl --namespace {cluster.namespace} delete pod {name}"
            problem = f"{name} has ended: {status.get('reason') or status['phase']} ({images})"
            yield Finding("pod", "warn", problem, remedy)
        elif ready.get("status") != "True":
            waiting = [state.get("state", {}).get("waiting", {}).get("reason") for state in states]
            reason = next((one for one in waiting if one), ready.get("reason") or status["phase"])
            yield Finding("pod", "fail", f"{name} is not ready: {reason} ({images})", logs)
        elif restarts:
            yield Finding("pod", "warn", f"{name} was restarted {restarts} times ({images})", logs)
        else:
            yield Finding("pod", "ok", f"{name} ({images})")


def verify(cluster: Cluster, *, key: str, render: bool, timeout: float) -> Iterator[Finding]:
    """Yield all findings. A failed kubectl command is a finding too."""
    try:
        names, found = deployments(cluster)
        yield from found
        yield from pods(cluster)
        if not {"api", "worker"} <= names.keys():
            return
        with (
            cluster.tunnel(names["api"], API_PORT) as api_url,
            cluster.tunnel(names["worker"], WORKER_PORT) as worker_url,
            contextlib.closing(Api(api_url, key=key)) as api,
            contextlib.closing(Api(worker_url)) as worker,
        ):
            yield from verify_installation(
                worker=worker, api=api, render=render, timeout_seconds=timeout
            )
    except CommandFailed as error:
        yield Finding("kubectl", "fail", str(error), "see kubectl's own message")


def main(arguments: list[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="verify-preview-worker-deployment",
        allow_abbrev=False,
        description="Check a deployment in a cluster.",
    )
    parser.add_argument("overlay", choices=OVERLAYS, metavar="OVERLAY", help=", ".join(OVERLAYS))
    parser.add_argument("--context", default="", help="kubectl context, by default the current one")
    parser.add_argument("--namespace", default="", help="namespace, by default the overlay's")
    parser.add_argument("--key-file", type=Path, help="file with an API key in its first line")
    parser.add_argument("--render", action="store_true", help="render a small film as well")
    parser.add_argument(
        "--timeout",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="timeout of a rollout, and of a job",
    )
    options = parser.parse_args(arguments)
    namespace, track = OVERLAYS[options.overlay]
    cluster = Cluster(options.context, options.namespace or namespace, track, options.timeout)
    try:
        key = read_key(options.key_file)
        found = verify(cluster, key=key, render=options.render, timeout=options.timeout)
        report(found, as_json=False)
    except CommandFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.code)
    except typer.Exit as ended:
        return int(ended.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
