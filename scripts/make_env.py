"""Makes the virtual environment of the Makefile from the locked requirements.

Usage: python3 scripts/make_env.py DIRECTORY REQUIREMENTS

The standard library only: it runs before anything is installed. Whatever is
missing is said in one line together with what to do about it.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

#: Machines for which all locked packages have wheels.
MACHINES = {"x86_64", "amd64", "aarch64", "arm64"}
#: What to use where the packages have no wheels.
ELSEWHERE = "use the Docker image, or a glibc-based Linux or macOS on x86-64 or arm64"


def obstacle() -> str | None:
    """Return why this machine cannot have the environment, with the remedy, or None."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.platform not in ("linux", "darwin"):
        return f"{platform.system()} is not supported: use WSL 2, Linux or macOS"
    if platform.machine().lower() not in MACHINES or sys.maxsize < 2**32:
        return f"there are no wheels for {platform.machine()} on this Python: {ELSEWHERE}"
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        return f"there are no wheels for this C library (musl?): {ELSEWHERE}"
    if importlib.util.find_spec("ensurepip") is None:
        return (
            f"this Python has no ensurepip, which venv needs: apt install python{version}-venv "
            "(Debian, Ubuntu), or name another Python: make PYTHON=/path/to/python3"
        )
    return None


def run_pip(directory: Path, *arguments: str) -> None:
    """Run the environment's own pip.

    Raises:
        subprocess.CalledProcessError: It failed and has said why.
    """
    # A user's "install --user" default would fail in a virtual environment.
    environment = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [str(directory / "bin" / "python"), "-m", "pip", *arguments]
    subprocess.run(command, check=True, env=environment)


def main(directory: Path, requirements: Path) -> str | None:
    """Make the environment anew; return an error message or None."""
    found = obstacle()
    if found:
        return found
    say(f"Making {directory} with Python {platform.python_version()} from {requirements} …")
    try:
        venv.create(directory, clear=True, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        return f"cannot make {directory}: {error}"
    try:
        run_pip(directory, "install", "--quiet", "--require-hashes", "-r", str(requirements))
    except subprocess.CalledProcessError:
        return (
            "pip could not install the locked packages (see above): check the network, "
            f"and if it found no matching distribution, {ELSEWHERE}"
        )
    return None


def say(message: str) -> None:
    """Print one line to standard error."""
    sys.stderr.write(message + "\n")


if __name__ == "__main__":
    problem = main(Path(sys.argv[1]), Path(sys.argv[2]))
    if problem:
        say(f"error: {problem}")
        sys.exit(1)
