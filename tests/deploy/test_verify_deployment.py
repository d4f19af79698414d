"""scripts/verify_deployment.py: its questions to kubectl (a stub) and to real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.verify_deployment import OVERLAYS
from tests.deploy.tools import ROOT, passes, tool
from tests.support.installation import Installation, installed

SCRIPT = ROOT / "scripts" / "verify-preview-worker-deployment.sh"
Verify = Callable[..., subprocess.CompletedProcess[str]]


def deployment(name: str, component: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/component": component}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": labels}}},
    }


def pod(name: str, *, restarts: int = 0, waiting: str = "", **metadata: str) -> dict[str, Any]:
    state = {
        "image": "ghcr.io/o/p@sha256:1",
        "restartCount": restarts,
        "state": {"waiting": {"reason": waiting}} if waiting else {"running": {}},
    }
    ready = {"type": "Ready", "status": "False" if waiting else "True"}
    status = {"phase": "Running", "conditions": [ready], "containerStatuses": [state]}
    return {"metadata": {"name": name, **metadata}, "status": status}


@pytest.fixture(scope="module")
def installation(
    embedded_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    with installed(embedded_url, tmp_path_factory.mktemp("installation")) as running:
        running.client().ledger.record_tick("scheduler")
        yield running


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """The stub's directory, with a canary that is well."""
    (tmp_path / "bin").mkdir()
    kubectl = tmp_path / "bin" / "kubectl"
    source = ROOT / "tests" / "deploy" / "stub_kubectl.py"
    kubectl.write_text(f'#!/bin/sh\nexec {sys.executable} {source} "$@"\n')
    kubectl.chmod(0o755)
    found = {
        "deployments": [
            deployment("preview-api-canary", "api"),
            deployment("preview-worker-canary", "worker"),
        ],
        "pods": [
            pod("preview-worker-canary-1"),
            pod(
                "preview-worker-canary-0", waiting="Gone", deletionTimestamp="2026-01-01T00:00:00Z"
            ),
        ],
    }
    for name, items in found.items():
        (tmp_path / name).write_text(json.dumps({"items": items}))
    return tmp_path


@pytest.fixture
def verify(stub: Path) -> Verify:
    """Run the script with the stub first on the PATH."""
    first = (stub / "bin", Path(sys.executable).parent)
    path = os.pathsep.join([*map(str, first), os.environ["PATH"]])
    env = os.environ | {"PATH": path, "STUB_DIRECTORY": str(stub), "APP_ENV": "test"}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPT, *arguments], env=env, capture_output=True, text=True, check=False, timeout=60
        )

    return run


@pytest.mark.deploy_tools
def test_a_canary_that_works_is_verified_through_tunnels(
    installation: Installation, stub: Path, verify: Verify
) -> None:
    ports = {
        "8000": installation.settings.preview_api_port,
        "3000": installation.settings.health_port,
    }
    (stub / "ports").write_text(json.dumps(ports))
    done = verify("canary", "--key-file", installation.key_file, "--context", "home")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()[:-1]]
    assert {line[0] for line in lines} == {"ok"}
    assert ["ok", "rollout", "preview-worker-canary,", "2", "replicas", "requested"] in lines
    assert ["ok", "pod", "preview-worker-canary-1", "(ghcr.io/o/p@sha256:1)"] in lines
    assert {"worker", "api", "scheduler", "dry"} <= {line[1] for line in lines}
    assert "render" not in {line[1] for line in lines}
    place = "--context home --namespace mobius-preview"
    assert sorted((stub / "calls").read_text().splitlines()) == [
        f"{place} get deployments --selector track=canary -o json",
        f"{place} get pods --selector track=canary -o json",
        f"{place} port-forward deployment/preview-api-canary :8000",
        f"{place} port-forward deployment/preview-worker-canary :3000",
        f"{place} rollout status deployment/preview-api-canary --timeout=300s",
        f"{place} rollout status deployment/preview-worker-canary --timeout=300s",
    ]


@pytest.mark.deploy_tools
def test_a_rollout_that_hangs_and_its_pod_are_named(stub: Path, verify: Verify) -> None:
    (stub / "deployments").write_text(json.dumps({"items": [deployment("preview-api", "api")]}))
    waiting = pod("preview-api-1", waiting="ImagePullBackOff")
    evicted = {
        "metadata": {"name": "preview-api-0"},
        "status": {"phase": "Failed", "reason": "Evicted"},
    }
    items = [evicted, waiting, pod("preview-api-2", restarts=3)]
    (stub / "pods").write_text(json.dumps({"items": items}))
    (stub / "rollout").write_text("error: timed out waiting for the condition\n")
    done = verify("production", "--namespace", "elsewhere")
    assert done.returncode == 1
    for told in (
        "preview-api --timeout=300s: error: timed out waiting for the condition",
        "elsewhere has no worker with track=stable",
        "preview-api-1 is not ready: ImagePullBackOff (ghcr.io/o/p@sha256:1)",
        "preview-api-2 was restarted 3 times",
        "preview-api-0 has ended: Evicted (no image yet)",
        "0 ok, 2 warnings, 3 failed",
    ):
        assert told in done.stdout
    assert "port-forward" not in (stub / "calls").read_text()


@pytest.mark.deploy_tools
def test_a_cluster_that_is_away_is_one_failure(tmp_path: Path, verify: Verify, stub: Path) -> None:
    kubectl = stub / "bin" / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'Unable to connect to the server' >&2\nexit 1\n")
    done = verify("staging")
    assert done.returncode == 1
    assert "Unable to connect to the server" in done.stdout
    kubectl.write_text("#!/bin/sh\nexit 1\n")
    assert verify("staging").returncode == 1


def test_another_overlay_is_bad_usage(verify: Verify) -> None:
    done = verify("nowhere")
    assert done.returncode == 2
    assert "staging, canary, production" in done.stderr or "choose from" in done.stderr


def test_namespaces_and_tracks_are_those_of_the_overlays() -> None:
    for name, (namespace, track) in OVERLAYS.items():
        path = ROOT / "kustomize" / "overlays" / name / "kustomization.yaml"
        kustomization = yaml.safe_load(path.read_text())
        pairs = [one["pairs"] for one in kustomization["labels"] if "track" in one["pairs"]]
        assert (namespace, [{"track": track}]) == (kustomization["namespace"], pairs)


@pytest.mark.deploy_tools
def test_every_track_has_a_worker_and_an_api_that_the_selector_finds() -> None:
    for name, (namespace, track) in OVERLAYS.items():
        text = passes(tool("kustomize"), "build", ROOT / "kustomize" / "overlays" / name)
        found = [
            document["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
            for document in yaml.safe_load_all(text)
            if document["kind"] == "Deployment"
            and document["metadata"]["namespace"] == namespace
            and document["metadata"]["labels"].get("track") == track
        ]
        assert {"worker", "api"} <= set(found), name
