"""Fixtures of the command line's tests: the commands in this process and as real processes."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.client import PreviewClient
from app.ledger import Fate, Ledger
from app.settings import Settings
from app.storage import ArtifactStore, attempt_prefix

ROOT = Path(__file__).parents[2]
#: Long enough for a loaded machine.
COMMAND_SECONDS = 60.0


def payload(job_id: str = "job-1", **changes: object) -> dict[str, Any]:
    """A dry run that the contract accepts."""
    return {
        "jobId": job_id,
        "projectId": "demo",
        "requestId": "r1",
        "previewRequest": {"title": "How to play", "steps": [], "assets": [], "audio": {}},
        "dryRun": True,
        **changes,
    }


@pytest.fixture
def variables(settings: Settings) -> dict[str, str]:
    """The environment that names the test's own queue and directory."""
    return {
        "APP_ENV": "test",
        "REDIS_URL": settings.redis_url,
        "PREVIEW_QUEUE_NAME": settings.preview_queue_name,
        "DATA_DIR": str(settings.data_dir),
        "HEALTH_PORT": "0",
        "PREVIEW_API_PORT": "0",
    }


@pytest.fixture
def preview(variables: dict[str, str]) -> Callable[..., Result]:
    """Run a command in this process."""

    def run(*arguments: str | Path, stdin: bytes | None = None, **changed: str | None) -> Result:
        return CliRunner().invoke(
            cli, [str(argument) for argument in arguments], input=stdin, env=variables | changed
        )

    return run


@pytest.fixture
def preview_process(variables: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command as a process of its own, from any directory."""

    def run(
        *arguments: str | Path, cwd: Path = ROOT, stdin: str = "", **changed: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app", *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | variables | changed,
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    return run


@pytest.fixture
def payload_file(tmp_path: Path) -> Path:
    """A file with a valid payload."""
    path = tmp_path / "payload.json"
    path.write_text(json.dumps(payload()))
    return path


@pytest.fixture
def queue_client(settings: Settings) -> PreviewClient:
    """A client of the test's own queue."""
    return PreviewClient.from_settings(settings)


def begin(ledger: Ledger) -> tuple[str, int]:
    """Begin the next job as a worker does; returns its id and fence."""
    claimed, _ = ledger.claim(
        "w1",
        token=os.urandom(4).hex(),
        free=True,
        info={"slots": 2, "busy": 1, "track": "stable"},
    )
    assert claimed is not None
    return claimed.job_id, claimed.fence


#: ``finish(fate, files={name: content}, **fields)`` of the fixture.
Finish = Callable[..., str]


@pytest.fixture
def finish(ledger: Ledger, settings: Settings) -> Finish:
    """Run the next job to its end as a worker does; its files go to the store."""
    return functools.partial(_finish, ledger, settings)


def _finish(
    ledger: Ledger,
    settings: Settings,
    fate: Fate,
    *,
    files: dict[str, bytes] | None = None,
    **fields: object,
) -> str:
    job_id, fence = begin(ledger)
    store = ArtifactStore(settings.artifact_url)
    artifacts = []
    for name, content in (files or {}).items():
        source = settings.data_dir / "made"
        source.write_bytes(content)
        key = f"{attempt_prefix(job_id, fence)}/{name}"
        store.put(key, source)
        artifacts.append(
            {
                "kind": {"preview.mp4": "video", "poster.jpg": "poster"}.get(name, "thumbnail"),
                "name": name,
                "contentType": "application/octet-stream",
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "key": key,
            }
        )
    ledger.settle(job_id, fence, fate, fields={"artifacts": artifacts, **fields})
    return job_id
