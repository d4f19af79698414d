"""What the processes of one worker service have in common: a directory.

In the directory they count and leave signs of life. Dramatiq's master imports
nothing of ours, so its children must agree by themselves: the name is made of the
master's pid and the time it started, and is therefore new at every boot, also
where every boot has the same pid.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_PREFIX = "preview-worker-"


def process_started(pid: int) -> str:
    """Return a token of a process's start time, "" when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    else:
        # Field 22, counted after the parenthesised name, which may hold spaces.
        return stat.rpartition(")")[2].split()[19]
    # macOS has no /proc.
    command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    return "".join(character for character in answer.stdout if character.isalnum())


def service_directory() -> Path:
    """Return this boot's directory, the same in all children of one master."""
    master = multiprocessing.parent_process()
    pid = master.pid if master is not None and master.pid is not None else os.getpid()
    name = f"{_PREFIX}{os.getuid()}-{pid}-{process_started(pid)}"
    return Path(tempfile.gettempdir()) / name


def remove_stale_directories() -> None:
    """Remove the directories of this user's boots that are over."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}{os.getuid()}-*"):
        pid, _, started = directory.name.removeprefix(f"{_PREFIX}{os.getuid()}-").partition("-")
        # Without a start, its master was gone before its worker had booted.
        if pid.isdigit() and (not started or process_started(int(pid)) != started):
            shutil.rmtree(directory, ignore_errors=True)
