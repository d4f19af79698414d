"""scripts/validate-payload.sh is ``preview validate`` without an installation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "validate-payload.sh"


def run(file: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Without a .venv in the project, the script runs the python3 on PATH: that of the tests.
    first = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{first}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [SCRIPT, file], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_the_example_is_valid_from_any_directory(tmp_path: Path) -> None:
    done = run(ROOT / "examples" / "tutorial.json", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "valid" in done.stdout


@pytest.mark.parametrize(("text", "code"), [("{}", 2), ("{", 2)])
def test_the_exit_code_is_passed_on(tmp_path: Path, text: str, code: int) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    assert run(file, tmp_path).returncode == code


def test_a_missing_file_is_another_code(tmp_path: Path) -> None:
    assert run(tmp_path / "absent.json", tmp_path).returncode == 3
