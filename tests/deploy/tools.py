"""Checkers that are no Python packages of the lock: ``make tools`` puts them into ``.tools/``.

A test that needs one is marked ``deploy_tools``; ``make test`` leaves it out and
``make manifests`` runs it. Where a tool is missing it is skipped with the reason,
in CI (``CI=true``) it fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

#: The project's root directory.
ROOT = Path(__file__).resolve().parents[2]
#: What ``make tools`` installs; see scripts/install_tools.py.
TOOLS = ROOT / ".tools"


def tool(name: str) -> str:
    """Return the path of a checker, the pinned one or else the machine's own.

    Pinned are amtool, check-jsonschema, checkov, hadolint, kubernetes-validate,
    kustomize, prometheus, promtool, shellcheck, yamllint and zizmor; node and
    systemd-analyze are the machine's.
    """
    path = os.pathsep.join([str(TOOLS / "bin"), os.environ.get("PATH", os.defpath)])
    return shutil.which(name, path=path) or _missing(name)


def tools_python() -> str:
    """Return a Python that can import tree-sitter and its grammars."""
    python = TOOLS / "venv" / "bin" / "python"
    return str(python) if python.exists() else _missing("the Python of .tools")


def npm_package(name: str) -> Path:
    """Return the directory of a package of scripts/tools/package.json."""
    directory = TOOLS / "node" / "node_modules" / name
    return directory if directory.is_dir() else _missing(f"npm package {name}")


def run(
    *command: str | Path, cwd: Path = ROOT, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a checker without raising; its output is text."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def passes(*command: str | Path, cwd: Path = ROOT, stdin: str | None = None) -> str:
    """Run a checker, fail the test with all that it says unless it exits with 0."""
    done = run(*command, cwd=cwd, stdin=stdin)
    if done.returncode:
        pytest.fail(
            f"{Path(str(command[0])).name} exits with {done.returncode}:\n"
            f"{done.stdout}{done.stderr}",
            pytrace=False,
        )
    return done.stdout


def _missing(what: str) -> NoReturn:
    reason = f"{what} is missing: run `make tools`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
