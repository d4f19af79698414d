"""Builds that are measured side by side: this one, and the one before holds became cheap."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.stack import ROOT

#: The commit that this build is compared with.
BEFORE: Final = "080e400"
#: Environments and checkouts; ``make clean`` removes them.
BENCH: Final = ROOT / ".bench"
#: Segments, or encoder threads of the older build: as many as the other ways take of two cores.
THREADS: Final = 2


class Unavailable(Exception):
    """Something that the benchmark needs is missing. The message names the remedy."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build in a process that is up, as a worker's is.

    Attributes:
        name: As in the table.
        process: Takes orders on its standard input.
    """

    name: str
    process: subprocess.Popen[str]

    def ask(self, work: str, payload: dict[str, Any], out: Path, **more: str) -> dict[str, float]:
        """Have the build ``render`` or ``plan`` into ``out``, and return what it measured.

        Raises:
            subprocess.SubprocessError: The build failed. Its own message was printed.
        """
        order = {"work": work, "payload": payload, "out": str(out), "threads": THREADS, **more}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise subprocess.SubprocessError(f"{self.name} failed; see above")
        figures: dict[str, float] = json.loads(answer)
        return figures


@contextmanager
def running(name: str, checkout: Path) -> Iterator[Build]:
    """Context manager with a build that takes orders; ``checkout`` has its own ``.venv``."""
    process = subprocess.Popen(
        [checkout / ".venv" / "bin" / "python", Path(__file__).with_name("in_checkout.py")],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Build(name, process)
        assert process.stdin is not None
        process.stdin.close()


def older() -> Path:
    """Return a checkout of :data:`BEFORE` with an environment of its own, made once.

    Raises:
        Unavailable: The clone is too shallow to have that commit.
        subprocess.CalledProcessError: Its packages cannot be installed.
    """
    checkout = BENCH / BEFORE
    ready = checkout / ".ready"
    if not ready.exists():
        shutil.rmtree(checkout, ignore_errors=True)
        checkout.mkdir(parents=True)
        archive = checkout / "checkout.tar"
        try:
            subprocess.run(["git", "archive", "-o", archive, BEFORE], cwd=ROOT, check=True)
        except subprocess.CalledProcessError as error:
            raise Unavailable(f"get commit {BEFORE}: git fetch --unshallow") from error
        subprocess.run(["tar", "-xf", archive.name], cwd=checkout, check=True)
        maker = checkout / "scripts" / "make_env.py"
        pins = checkout / "requirements.txt"
        subprocess.run([sys.executable, maker, checkout / ".venv", pins], check=True)
        ready.touch()
    return checkout
