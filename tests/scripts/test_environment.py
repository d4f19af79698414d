"""How ``make`` finds a Python and makes the environment."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT

FIND = ROOT / "scripts" / "find-python"
Obstacle = Callable[[], str | None]


def find(path: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FIND], env={"PATH": path, **more}, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH on which a script finds a shell and nothing else."""
    (tmp_path / "sh").symlink_to("/bin/sh")
    return tmp_path


def python(directory: Path, name: str, *, version: str) -> Path:
    """A Python that says it is of ``version``; a real one runs the check only if it is new."""
    path = directory / name
    new = tuple(map(int, version.split("."))) >= (3, 11)
    check = f'exec {sys.executable} "$@"' if new else "exit 1"
    path.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit\n{check}\n'
    )
    path.chmod(0o755)
    return path


def test_the_first_python_that_is_new_enough_is_found(tools: Path) -> None:
    python(tools, "python3", version="3.9")
    newer = python(tools, "python3.13", version="3.13")
    python(tools, "python3.11", version="3.11")
    done = find(str(tools))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{newer}\n", "")


def test_a_chosen_python_goes_first(tools: Path) -> None:
    python(tools, "python3", version="3.13")
    chosen = python(tools, "mine", version="3.12")
    assert find(str(tools), PYTHON=str(chosen)).stdout == f"{chosen}\n"


@pytest.mark.parametrize("chosen", ["", "python3", "/nowhere/python"])
def test_none_that_is_new_enough_is_one_line_with_the_remedy(tools: Path, chosen: str) -> None:
    python(tools, "python3", version="3.9")
    done = find(str(tools), PYTHON=chosen)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "3.11 or newer" in done.stderr
    assert ("Python 3.9" in done.stderr) == (chosen != "/nowhere/python")


def test_no_python_at_all_is_one_line(tools: Path) -> None:
    done = find(str(tools))
    assert done.returncode == 1
    assert "found: none" in done.stderr


@pytest.fixture
def script() -> dict[str, Any]:
    """The names of scripts/make_env.py."""
    return runpy.run_path(str(ROOT / "scripts" / "make_env.py"))


def test_this_machine_has_no_obstacle(script: dict[str, Any]) -> None:
    assert script["obstacle"]() is None


@pytest.mark.parametrize(
    ("target", "value", "told"),
    [
        ("sys.platform", "win32", "WSL 2"),
        ("platform.machine", lambda: "riscv64", "riscv64"),
        ("platform.libc_ver", lambda: ("", ""), "musl"),
        ("importlib.util.find_spec", lambda _: None, "apt install python3."),
    ],
    ids=["windows", "processor", "musl", "no-venv"],
)
def test_an_obstacle_is_one_line_with_the_remedy(
    script: dict[str, Any], monkeypatch: pytest.MonkeyPatch, target: str, value: object, told: str
) -> None:
    monkeypatch.setattr(target, value)
    message = script["obstacle"]()
    assert told in message
    assert "\n" not in message


def make_env(directory: Path, requirements: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_env.py", directory, requirements],
        env=os.environ | {"PIP_NO_INDEX": "1", "PIP_USER": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def test_an_environment_is_made_anew_and_packages_that_cannot_be_had_are_one_more_line(
    script: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, locked = tmp_path / "env", tmp_path / "requirements.txt"
    environment.mkdir()
    (environment / "left-over").write_text("")
    locked.write_text("")
    done = make_env(environment, locked)
    assert done.returncode == 0, done.stderr
    assert (environment / "bin" / "python").exists()
    assert not (environment / "left-over").exists()

    monkeypatch.setattr("venv.create", lambda *_, **__: None)  # it is there; its own pip runs
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    locked.write_text(f"absent==1.0 --hash=sha256:{'0' * 64}\n")
    told = script["main"](environment, locked)
    assert told.startswith("pip could not install the locked packages")
    assert "\n" not in told


def test_an_environment_that_cannot_be_made_is_one_more_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = make_env(file / "env", file)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: cannot make {file}")
    assert "make VENV=" in last


def test_the_installation_says_how_far_it_is(
    script: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines are pip's own, as it prints them in a pipe."""
    progress = script["Progress"](total=41)
    progress.take("Ignoring colorama: markers 'sys_platform == \"win32\"' don't match")
    for number in range(40):
        progress.take(f"Collecting package-{number}==1.0")
        progress.take(f"  Downloading package_{number}-1.0-py3-none-any.whl (1.5 MB)")
    progress.take("Installing collected packages: package-0, package-1")
    assert capsys.readouterr().err.splitlines() == [
        "  20 of 40 packages, 28 MB downloaded",
        "  40 of 40 packages, 58 MB downloaded",
        "  unpacking 40 packages, which takes half of the time",
    ]


def test_ctrl_c_during_an_installation_is_a_sentence(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "make_env.py", tmp_path / "env", "requirements.txt"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as making:
        assert making.stderr is not None
        shown = making.stderr.readline()
        making.send_signal(signal.SIGINT)
        shown += making.stderr.read()
    assert making.returncode == 130
    assert "Traceback" not in shown
    assert shown.splitlines()[-1] == "interrupted; the next make starts the installation again"


@pytest.mark.parametrize("lock", ["", "-otel", "-dev"])
def test_every_locked_package_has_hashes_and_comes_from_the_public_index(lock: str) -> None:
    text = (ROOT / f"requirements{lock}.txt").read_text()
    assert "--index" not in text
    assert "://" not in text
    packages = [block for block in text.split("\n") if block and block[0].isalpha()]
    assert packages
    assert text.count(" \\\n    --hash=sha256:") >= len(packages)


def test_the_development_lock_holds_the_versions_of_the_image() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text().splitlines()
        return {line.rstrip(" \\") for line in lines if line and line[0].isalpha()}

    assert pins("requirements.txt") < pins("requirements-otel.txt") < pins("requirements-dev.txt")
