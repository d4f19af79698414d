"""Cache of fetched files by their SHA-256. The processes of a machine share it.

A file is written under a temporary name, flushed to disk and renamed, so a file named by a digest
is complete. Its digest is still checked at every use. Each job gets a hard link of its own, so
evicting a file from the cache does not affect running jobs.
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
    """Files by digest. The least recently used ones are evicted.

    Args:
        directory: Directory of the files; created on first use.
        max_bytes: Size to which :meth:`trim` reduces the cache.

    Every method raises OSError if the disk is full or unusable.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    @contextmanager
    def incoming(self) -> Iterator[BinaryIO]:
        """Open a temporary file, which is deleted afterwards unless :meth:`keep` was called."""
        path, lock = make_file(self._directory)
        try:
            with path.open("wb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)
            os.close(lock)

    def keep(self, file: BinaryIO, sha256: str, *, target: Path) -> None:
        """Add a complete file to the cache, and link it for a job as ``target``."""
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
        """Link the file with a digest for a job as ``target``; return False if there is none.

        A file that has changed on disk is removed from the cache.
        """
        kept = self._directory / sha256
        try:
            _link(kept, target)
        except FileNotFoundError:
            return False
        with target.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        with suppress(FileNotFoundError):  # another process may have evicted it
            if found == sha256:
                os.utime(kept)
            else:
                log.warning("assets.cache-damaged", sha256=sha256)
                kept.unlink()
        if found != sha256:
            target.unlink()
        return found == sha256

    def trim(self) -> None:
        """Evict least recently used files beyond the limit; delete leftovers of dead workers."""
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
    """Hard-link ``source`` as ``target``, or copy it where links are impossible."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a different disk, or a file system without hard links
        shutil.copyfile(source, target)
