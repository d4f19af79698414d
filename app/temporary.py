"""Temporary files and directories that are removed even if their process is killed.

One rule for all of them: what is locked is in use. The kernel gives up the locks of a
process however that ends, so whoever starts next removes what nobody has locked
(:func:`remove_leftovers`). Names begin with :data:`PREFIX` where others keep files, too.
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

#: How the names of all of them begin.
PREFIX: Final = "preview-tmp-"
#: Never waits for the other end of a pipe that bears such a name.
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def make_directory(root: Path, *, name: str) -> tuple[Path, int]:
    """Make a directory in ``root``, and lock it.

    Args:
        root: Created if needed.
        name: What its name says after :data:`PREFIX`; random letters follow.

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
    """Make a directory that several processes use, or join them.

    Returns:
        A descriptor that holds this process's lock until it is closed.

    Raises:
        OSError: It cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with contextlib.suppress(FileExistsError):  # `exist_ok` looks again, and others remove it
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
        os.close(descriptor)  # taken for a leftover before it was locked


def remove_leftovers(root: Path, *, prefix: str = PREFIX) -> list[str]:
    """Remove what dead processes of this user have left in ``root``.

    Args:
        root: Where to look; it need not exist.
        prefix: How their names begin; "" where nobody else keeps anything.

    Returns:
        The names of what was removed.
    """
    return [path.name for path in root.glob(f"{prefix}*") if _removed(path)]


def _removed(path: Path) -> bool:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return False  # gone meanwhile, or another user's
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
    """Lock a directory; None when it was taken for a leftover before it was locked."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        # NFS locks no directories (EBADF, see flock(2)): there nobody removes them, either.
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
