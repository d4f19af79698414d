"""Makes the Makefile's virtual environment from locked requirements.

Usage: python3 scripts/make_env.py DIRECTORY REQUIREMENTS

It runs before anything is installed, so it uses only the standard library. It shows its progress.
An error is one line that says what is missing and how to fix it.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
import sys
import time
import venv
from pathlib import Path

#: Machines for which all locked packages have wheels.
MACHINES = {"x86_64", "amd64", "aarch64", "arm64"}
#: Alternatives on a machine without wheels.
ELSEWHERE = "use the Docker image, or a glibc-based Linux or macOS on x86-64 or arm64"
#: Exit code after Ctrl-C.
INTERRUPTED = 130
#: When output is not a terminal, packages per line of progress.
LINE_STEP = 20
#: Lines of pip's output.
_SKIPPED = re.compile(r"Ignoring ")
_BEGUN = re.compile(r"Collecting |Requirement already satisfied")
_LOADED = re.compile(r"\s*Downloading \S+ \(([\d.]+) ([kM]?B)\)")
_INSTALLING = re.compile(r"Installing collected packages")
_MEGABYTES = {"B": 1e-6, "kB": 1e-3, "MB": 1.0}


def obstacle() -> str | None:
    """Return why the environment cannot be made here, with a remedy, or None."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.platform not in ("linux", "darwin"):
        return f"{platform.system()} is not supported: use WSL 2, Linux or macOS"
    if platform.machine().lower() not in MACHINES or sys.maxsize < 2**32:
        return f"the packages have no wheels for {platform.machine()} and this Python: {ELSEWHERE}"
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        return f"the packages have no wheels for this C library (musl?): {ELSEWHERE}"
    if importlib.util.find_spec("ensurepip") is None:
        return (
            f"this Python has no ensurepip, which venv needs: apt install python{version}-venv "
            "(Debian, Ubuntu), or select another Python: make PYTHON=/path/to/python3"
        )
    return None


class Progress:
    """Shows pip's progress: one changing line on a terminal, or a few lines in a pipe.

    Args:
        total: Number of packages in the requirements.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.begun = 0
        self.megabytes = 0.0
        self._on_terminal = sys.stderr.isatty()

    def take(self, line: str) -> None:
        """Take a line of pip's output."""
        loaded = _LOADED.match(line)
        if _SKIPPED.match(line):
            self.total -= 1
        elif loaded:
            self.megabytes += float(loaded[1]) * _MEGABYTES[loaded[2]]
            if self._on_terminal:
                self._show(self._count)
        elif _BEGUN.match(line):
            self.begun += 1
            if self._on_terminal or self.begun % LINE_STEP == 0:
                self._show(self._count)
        elif _INSTALLING.match(line):
            self._show(f"unpacking {self.begun} packages, which takes half of the time")

    def close(self) -> None:
        """Clear the changing line."""
        if self._on_terminal:
            sys.stderr.write("\r\x1b[K")

    @property
    def _count(self) -> str:
        return f"{self.begun} of {self.total} packages, {self.megabytes:.0f} MB downloaded"

    def _show(self, text: str) -> None:
        if self._on_terminal:
            sys.stderr.write(f"\r\x1b[K  {text}")
            sys.stderr.flush()
        else:
            say(f"  {text}")


def install(directory: Path, requirements: Path) -> str:
    """Install the requirements with the environment's pip. Return a summary.

    Raises:
        subprocess.CalledProcessError: pip failed. Its error message was printed.
    """
    # A user's "install --user" default would fail in a virtual environment.
    environment = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [
        *(str(directory / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "off"),
        *("--require-hashes", "-r", str(requirements)),
    ]
    pins = re.findall(r"^[A-Za-z0-9][\w.-]*==", requirements.read_text(), re.MULTILINE)
    progress = Progress(len(pins))
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as pip:
        try:
            for line in pip.stdout or ():
                progress.take(line)
        finally:
            progress.close()
    if pip.returncode:
        raise subprocess.CalledProcessError(pip.returncode, command)
    return f"{progress.begun} packages, {progress.megabytes:.0f} MB downloaded"


def main(directory: Path, requirements: Path) -> str | None:
    """Make the environment, replacing an old one. Return an error message or None."""
    found = obstacle()
    if found:
        return found
    began = time.monotonic()
    say(f"Making {directory} with Python {platform.python_version()} from {requirements} …")
    try:
        venv.create(directory, clear=True, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        return (
            f"cannot make {directory}: {reason}; free some space, or choose a directory that can "
            "be written: make VENV=/path/to/venv, with DATA_DIR=/path/to/data for the data"
        )
    try:
        done = install(directory, requirements)
    except subprocess.CalledProcessError:
        return (
            "pip could not install the locked packages (see above): check the network and the "
            f"free space, and if it found no matching distribution, {ELSEWHERE}"
        )
    say(f"{directory} is ready: {done}, {time.monotonic() - began:.0f} s.")
    return None


def say(message: str) -> None:
    """Print one line to standard error."""
    sys.stderr.write(message + "\n")


if __name__ == "__main__":
    try:
        problem = main(Path(sys.argv[1]), Path(sys.argv[2]))
    except KeyboardInterrupt:
        say("\ninterrupted; the next make starts the installation again")
        sys.exit(INTERRUPTED)
    if problem:
        say(f"error: {problem}")
        sys.exit(1)
