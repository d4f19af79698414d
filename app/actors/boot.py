"""What the processes of one worker service have in common: a directory, and a clean start.

In the directory they count and leave signs of life. Dramatiq's master imports
nothing of ours, so its children must agree by themselves: the name is made of the
master's pid and the time it started, and is therefore new at every boot, also
where every boot has the same pid.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import tempfile
from pathlib import Path

from app.logs import get_logger
from app.settings import Settings, SettingsError
from app.temporary import PREFIX, remove_leftovers, share_directory

log = get_logger(__name__)


def process_started(pid: int) -> str:
    """Return a token of a process's start time, "" if the process does not exist."""
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
    return Path(tempfile.gettempdir()) / f"{PREFIX}worker-{pid}-{process_started(pid)}"


def join_service() -> Path:
    """Join the processes of this boot, and return their directory.

    Raises:
        SettingsError: It cannot be made.
    """
    directory = service_directory()
    try:
        share_directory(directory)
    except OSError as error:
        raise SettingsError(
            f"{directory.parent} cannot be written ({error.strerror}); "
            "set TMPDIR to a directory that can be"
        ) from error
    return directory


def remove_what_is_left(settings: Settings) -> None:
    """Remove what workers that were killed have left on this machine."""
    removed = remove_leftovers(settings.work_root, prefix="")
    for root in (Path(tempfile.gettempdir()), settings.step_cache, settings.asset_cache):
        removed += remove_leftovers(root)
    if removed:
        log.info("boot.leftovers-removed", names=removed)
