"""Work directories: where an attempt writes before its files are published."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.errors import StorageUnavailable
from app.logs import get_logger

log = get_logger(__name__)

#: A directory that is younger may not yet have been locked by its maker.
MIN_AGE_SECONDS: Final = 60.0


@contextlib.contextmanager
def work_directory(root: Path, *, prefix: str) -> Iterator[Path]:
    """Make a directory for one attempt, locked while it is in use, and remove it.

    Raises:
        StorageUnavailable: It cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise StorageUnavailable("The work directory cannot be written.") from error
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(descriptor)


def remove_abandoned(root: Path, *, min_age_seconds: float = MIN_AGE_SECONDS) -> None:
    """Remove the directories of workers that were killed: nobody holds their locks.

    Args:
        root: Where work directories are, of all workers on this machine.
        min_age_seconds: Age from which an unlocked directory counts as abandoned.
    """
    for directory in root.glob("*/"):
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile
        try:
            if time.time() - os.fstat(descriptor).st_mtime < min_age_seconds:
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
            log.info("work.removed", directory=directory.name)
        except OSError:
            continue  # in use
        finally:
            os.close(descriptor)
