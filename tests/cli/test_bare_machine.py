"""The commands on a machine that lacks what the renderer cannot do without."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bare_machine import without_fribidi
from tests.support.payloads import payload

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="hides a library from its linker")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bare(preview_process: Run, tmp_path: Path) -> Run:
    """Run a command where no FriBidi is installed."""
    hidden = without_fribidi(tmp_path / "none")

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return preview_process(*arguments, **hidden)

    return run


def test_the_doctor_fails_and_says_what_to_install(bare: Run) -> None:
    result = bare("doctor", "--json")
    (found,) = (one for one in json.loads(result.stdout)["checks"] if one["name"] == "text")
    assert (result.returncode, found["level"]) == (1, "fail")
    assert found["detail"].startswith("FriBidi is missing")
    assert "install libfribidi0" in found["remedy"]


def test_a_render_fails_and_says_what_to_install(bare: Run, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(payload()))
    result = bare("render", file, "--out", tmp_path / "film")
    assert result.returncode == 1
    assert "error: FriBidi is missing" in result.stderr
    assert "install libfribidi0" in result.stderr
    assert not (tmp_path / "film").exists()


def test_the_demo_ends_and_says_what_to_install(bare: Run) -> None:
    result = bare("demo")
    assert result.returncode == 1
    assert "FriBidi is missing" in result.stderr
    assert "the worker ended with exit code 1" in result.stderr
