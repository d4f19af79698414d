"""Temporary files and directories that are removed even if their process is killed.

A file or directory that is locked is in use. The kernel releases the locks of a process however it
ends, so the next process removes what is not locked (:func:`remove_leftovers`). In directories that
others also use, names begin with :data:`PREFIX`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: Prefix of their names.
PREFIX: Final = "preview-tmp-"
#: Opening a named pipe must not block until its other end is opened.
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def make_directory(root: Path, *, name: str) -> tuple[Path, int]:
    """Make a directory in ``root``, and lock it.

    Args:
        root: Created if needed.
        name: Part of its name between :data:`PREFIX` and random letters.

    Returns:
        The directory, and a descriptor that holds its lock until it is closed.

    Raises:
        OSError: It cannot be made.
    """
    root.mkdir(parents=True, exist_ok=True)
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-", dir=root))
        if (descriptor := _locked(path, fcntl.LOCK_EX)) is not None:
            return path, descriptor


@contextlib.contextmanager
def temporary_directory(root: Path, *, name: str) -> Iterator[Path]:
    """Make a directory as :func:`make_directory` does, and remove it afterwards."""
    path, descriptor = make_directory(root, name=name)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def share_directory(path: Path) -> int:
    """Make a directory that several processes share, or join those that use it.

    Returns:
        A descriptor that holds this process's lock until it is closed.

    Raises:
        OSError: It cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with contextlib.suppress(FileExistsError):  # `exist_ok` fails if it is removed now
            path.mkdir(mode=0o700)
        if (descriptor := _locked(path, fcntl.LOCK_SH)) is not None:
            return descriptor


def make_file(root: Path) -> tuple[Path, int]:
    """Make a file in ``root``, and lock it.

    Args:
        root: Created if needed.

    Returns:
        The file, and a descriptor to write to, which holds its lock until it is closed.

    Raises:
        OSError: It cannot be made.
    """
    root.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=root)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return Path(name), descriptor
        os.close(descriptor)  # another process removed it as a leftover before it was locked


def remove_leftovers(root: Path, *, prefix: str = PREFIX) -> list[str]:
    """Remove what dead processes of this user have left in ``root``.

    Args:
        root: Where to look. It need not exist.
        prefix: Prefix of the names to remove; "" if nobody else uses the directory.

    Returns:
        The names of what was removed.
    """
    return [path.name for path in root.glob(f"{prefix}*") if _removed(path)]


def _removed(path: Path) -> bool:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return False  # removed meanwhile, or of another user
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    except OSError:
        return False  # in use
    finally:
        os.close(descriptor)
    return True


def _locked(directory: Path, how: int) -> int | None:
    """Lock a directory. Return None if another process removed it before it was locked."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        # NFS cannot lock directories (EBADF, see flock(2)), so nobody removes them there.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, how)
        if os.path.samestat(directory.stat(), os.fstat(descriptor)):
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
