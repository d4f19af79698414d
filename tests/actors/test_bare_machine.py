"""A worker on a machine that lacks what it cannot do without."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.settings import Settings
from tests.conftest import wait_until
from tests.support.bare_machine import without_fribidi
from tests.support.processes import worker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="hides a library from its linker")


def test_without_fribidi_a_worker_ends_and_says_what_to_install(
    settings: Settings, log: Path, tmp_path: Path
) -> None:
    with worker(settings, log, more=without_fribidi(tmp_path / "none")) as process:
        wait_until(lambda: process.poll() is not None, "the worker ends", seconds=60)
    assert process.returncode == 1
    assert "preview worker: FriBidi is missing" in log.read_text()
    assert "install libfribidi0" in log.read_text()
    assert "Traceback" not in log.read_text()
