"""Artifacts: finished files of jobs, in an object store.

Keys are ``<jobId>/<fence>/<name>``: an attempt writes under its own prefix, and
nothing is in view before the ledger's settle has stored the list of files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore

from app.errors import ArtifactExpired, StorageUnavailable

#: Bytes read from the store at once while a file is served.
CHUNK_BYTES = 256 * 1024


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise ArtifactExpired("The file is no longer in the store.") from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable("The artifact store cannot be read or written.") from error


class ArtifactStore:
    """Files by key, on whatever ``STORAGE_URL`` names.

    Args:
        url: ``file:///directory``, made when absent.

    Raises:
        StorageUnavailable: From every method when the store fails or is full.
        ArtifactExpired: From reads when there is no such file.
    """

    def __init__(self, url: str) -> None:
        with _store_errors():
            directory = Path(unquote(urlsplit(url).path))
            self._directory = directory
            self._store = LocalStore(directory, mkdir=True, automatic_cleanup=True)

    def put(self, key: str, path: Path) -> None:
        """Store the file at ``path`` under ``key``, whole or not at all."""
        with _store_errors():
            obstore.put(self._store, key, path)

    def size(self, key: str) -> int:
        """Return the bytes of a file."""
        with _store_errors():
            return int(obstore.head(self._store, key)["size"])

    def read(self, key: str, *, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to ``end`` (excluded) in chunks."""
        position = start
        while position < end:
            step = min(end, position + CHUNK_BYTES)
            with _store_errors():
                chunk = bytes(obstore.get_range(self._store, key, start=position, end=step))
            if not chunk:
                raise ArtifactExpired("The file ended early.")
            yield chunk
            position += len(chunk)

    def delete_prefix(self, prefix: str) -> int:
        """Delete every file under ``prefix/``; returns how many there were."""
        count = 0
        with _store_errors():
            for batch in obstore.list(self._store, prefix=prefix):
                paths = [item["path"] for item in batch]
                if paths:
                    obstore.delete(self._store, paths)
                    count += len(paths)
            # What a killed writer had not finished is no object, and in no listing.
            directory = self._directory / prefix
            shutil.rmtree(directory, ignore_errors=True)
            if directory.parent != self._directory:
                with suppress(OSError):  # other attempts of the job are there
                    directory.parent.rmdir()
        return count

    def attempts(self) -> Iterator[tuple[str, list[int]]]:
        """Yield each job that something is stored of, with the fences of its attempts."""
        with _store_errors():
            jobs = obstore.list_with_delimiter(self._store)["common_prefixes"]
        for job_id in jobs:
            with _store_errors():
                found = obstore.list_with_delimiter(self._store, prefix=job_id)["common_prefixes"]
            names = (path.rpartition("/")[2] for path in found)
            yield job_id, [int(name) for name in names if name.isdecimal()]

    def probe(self) -> None:
        """Write, read and delete a small file, to find out whether the store works."""
        with _store_errors():
            obstore.put(self._store, ".probe", b"ok")
            obstore.delete(self._store, ".probe")


def attempt_prefix(job_id: str, fence: int) -> str:
    """Return the prefix of one attempt's files.

    A job id may hold ``:`` and ``.``, never a slash, and never starts with a dot.
    """
    return f"{job_id}/{fence}"
