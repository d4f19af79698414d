"""The environments of the other queues, in ``.bench/``: made once, from pinned packages."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.stack import ROOT

#: Where this part of the benchmark keeps its pins and scripts.
HERE = Path(__file__).parent
#: Where the environments go; ``make clean`` removes it.
BENCH = ROOT / ".bench"
#: What must be on the PATH, by the names of Debian's packages.
PROGRAMS = {"redis-server": "redis-server", "wrk": "wrk", "node": "nodejs", "npm": "npm"}
#: Python queues that are measured against.
PYTHON_PEERS = ("dramatiq", "celery", "rq", "arq")


class Unavailable(Exception):
    """Something that the benchmark needs is not there; the message names the remedy."""


def require_programs() -> None:
    """Raise :class:`Unavailable` when a program is missing."""
    missing = [package for name, package in PROGRAMS.items() if not shutil.which(name)]
    if missing:
        raise Unavailable(f"install what is missing: apt-get install {' '.join(missing)}")


def bin_of(peer: str) -> Path:
    """Return the directory of programs of a Python queue's environment."""
    return BENCH / peer / "bin"


def make_environments() -> None:
    """Make what is missing or out of date in ``.bench/``."""
    for peer in PYTHON_PEERS:
        pins = HERE / "requirements" / f"{peer}.txt"
        if _outdated(BENCH / peer, pins):
            maker = ROOT / "scripts" / "make_env.py"
            _run(sys.executable, str(maker), str(BENCH / peer), str(pins))
            _mark(BENCH / peer, pins)
    node = BENCH / "node"
    # Node looks for packages beside a script, so the scripts go to them, every time.
    shutil.copytree(HERE / "node", node, dirs_exist_ok=True)
    if _outdated(node, node / "package-lock.json"):
        # Not `npm ci`, which fails where a registry lacks packages of other platforms.
        options = ("--ignore-scripts", "--no-save", "--no-audit", "--no-fund")
        _run("npm", "install", "--prefix", str(node), *options)
        _mark(node, node / "package-lock.json")


def versions() -> dict[str, str]:
    """Return the versions of everything that is measured, by name."""
    found = {}
    for peer in PYTHON_PEERS:
        pins = (HERE / "requirements" / f"{peer}.txt").read_text()
        for name in (peer, "redis"):
            pin = re.search(rf"^{name}==(\S+)", pins, re.MULTILINE)
            found[name if name == peer else f"redis-py of {peer}"] = pin.group(1) if pin else "?"
    found |= json.loads((HERE / "node" / "package.json").read_text())["dependencies"]
    found["Node"] = _first_line("node", "--version").removeprefix("v")
    found["redis-server"] = _first_line("redis-server", "--version").split("v=")[1].split()[0]
    found["wrk"] = _first_line("wrk", "--version").split(" [")[0].removeprefix("wrk ")
    return found


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    return (done.stdout or done.stderr).splitlines()[0]


def _digest(pins: Path) -> str:
    return hashlib.sha256(pins.read_bytes()).hexdigest()


def _outdated(directory: Path, pins: Path) -> bool:
    made = directory / ".made"
    return not made.exists() or made.read_text() != _digest(pins)


def _mark(directory: Path, pins: Path) -> None:
    (directory / ".made").write_text(_digest(pins))


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, timeout=600, stdout=subprocess.DEVNULL)
    except (subprocess.SubprocessError, OSError) as error:
        raise Unavailable(f"{command[0]} could not make the environment: {error}") from error
