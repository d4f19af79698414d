"""Files below a directory, opened once: what was opened cannot be exchanged afterwards."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from stat import S_ISLNK, S_ISREG, S_ISSOCK
from typing import BinaryIO, Final

#: Linux opens a directory that may be passed through but not listed.
_DIRECTORY: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
#: A pipe is opened without waiting for whoever writes to it.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class OutsideRefused(Exception):
    """A path leaves its directory, or goes through a symbolic link."""


class NotRegularRefused(Exception):
    """A path leads to a directory, a pipe, a socket or a device."""


def open_below(directory: Path, relative: str) -> BinaryIO:
    """Open ``relative`` for reading; each part of it is opened from the one before.

    Whoever exchanges a part for a link while this runs gets nothing: no link is followed, and no
    part is looked up twice.

    Args:
        directory: It is trusted, and may be a link itself.
        relative: Path with slashes.

    Raises:
        OutsideRefused: It is absolute, climbs with ``..``, or a part of it is a symbolic link.
        NotRegularRefused: It is not a regular file.
        OSError: The file does not exist, or cannot be opened.
    """
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise OutsideRefused
    *parents, name = path.parts
    at = os.open(directory, _DIRECTORY)
    try:
        for part in parents:
            below = _opened(part, _DIRECTORY | os.O_NOFOLLOW, at)
            os.close(at)
            at = below
        file = _opened(name, _FILE, at)
    finally:
        os.close(at)
    if not S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NotRegularRefused
    return os.fdopen(file, "rb")


def _opened(name: str, flags: int, directory: int) -> int:
    try:
        return os.open(name, flags, dir_fd=directory)
    except OSError:
        # Systems differ in the errors that a link and a socket make.
        mode = _mode(name, directory)
        if S_ISLNK(mode):
            raise OutsideRefused from None
        if S_ISSOCK(mode):
            raise NotRegularRefused from None
        raise


def _mode(name: str, directory: int) -> int:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
    except OSError:
        return 0
