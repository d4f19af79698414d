"""Fetched files, kept under the SHA-256 of their content. Processes of a machine share it.

A file is written under a temporary name, flushed to the disk and renamed, so what has a digest for
a name is whole; it is still read again at every use. A job gets a link of its own: whatever is
dropped meanwhile, its file stays.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.logs import get_logger
from app.temporary import PREFIX, make_file, remove_leftovers

log = get_logger(__name__)


class AssetCache:
    """Files by digest, of which the least recently used are dropped.

    Args:
        directory: Where they are; made on first use.
        max_bytes: What :meth:`trim` leaves.

    Every method raises OSError when the disk is full or cannot be used.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    @contextmanager
    def incoming(self) -> Iterator[BinaryIO]:
        """Open a file for what comes in; it is gone afterwards unless it was kept."""
        path, lock = make_file(self._directory)
        try:
            with path.open("wb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)
            os.close(lock)

    def keep(self, file: BinaryIO, sha256: str, *, target: Path) -> None:
        """Keep a whole file that came in, and give it to a job as ``target``."""
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
        _link(Path(file.name), target)
        Path(file.name).replace(self._directory / sha256)
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def take(self, sha256: str, *, target: Path) -> bool:
        """Give the file with that digest to a job as ``target``; False when there is none.

        A file that has changed on the disk is dropped.
        """
        kept = self._directory / sha256
        try:
            _link(kept, target)
        except FileNotFoundError:
            return False
        with target.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        with suppress(FileNotFoundError):  # another process may have dropped it
            if found == sha256:
                os.utime(kept)
            else:
                log.warning("assets.cache-damaged", sha256=sha256)
                kept.unlink()
        if found != sha256:
            target.unlink()
        return found == sha256

    def trim(self) -> None:
        """Drop the least recently used files above the limit, and what dead workers left."""
        remove_leftovers(self._directory)
        kept: list[tuple[float, int, Path]] = []
        for path in self._directory.glob("*"):
            with suppress(FileNotFoundError):
                if not path.name.startswith(PREFIX):
                    status = path.stat()
                    kept.append((status.st_mtime, status.st_size, path))
        surplus = sum(size for _, size, _ in kept) - self._max_bytes
        for _, size, path in sorted(kept):
            if surplus <= 0:
                return
            path.unlink(missing_ok=True)
            surplus -= size


def _link(source: Path, target: Path) -> None:
    """Make ``target`` the same file, or a copy where a link is impossible."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, target)
