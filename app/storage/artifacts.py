"""The artifact store: the finished files of jobs, by key.

Keys are ``<jobId>/<fence>/<name>``. Each attempt writes under a prefix of its own, and its files
are visible to clients only once the ledger has settled the attempt.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path, PurePosixPath

import obstore
from obstore.exceptions import BaseError

from app.errors import ArtifactExpired, StorageUnavailable
from app.storage.places import REQUEST_SECONDS, open_place

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
#: Error code in the body of an S3 response.
_S3_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")


def _unavailable(error: Exception) -> StorageUnavailable:
    code = _S3_CODE.search(str(error))
    why = f" ({code[1]})" if code else ""
    return StorageUnavailable(f"The artifact store cannot be read or written to{why}.")


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise _unavailable(error) from error


@contextmanager
def _read_errors() -> Iterator[None]:
    """Treat a missing file as expired, unless the whole bucket is missing."""
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise _unavailable(error) from error
        raise ArtifactExpired("The file is no longer in the store.") from error
    except (BaseError, OSError, ValueError) as error:
        raise _unavailable(error) from error


class ArtifactStore:
    """Files by key, in the place that ``STORAGE_URL`` names. Thread-safe, but not fork-safe.

    Args:
        url: ``file:///directory``, created if necessary, or ``s3://bucket/prefix``, with endpoint,
            region and credentials from the environment. ``?allow-http=true`` allows an
            ``http://`` endpoint.
        request_seconds: Timeout of a request to a bucket. A failing call takes up to twice as long.

    Raises:
        StorageUnavailable: From every method, if the store fails, is full or denies access.
        ArtifactExpired: From reads, if the file does not exist.
    """

    def __init__(self, url: str, *, request_seconds: float = REQUEST_SECONDS) -> None:
        with _store_errors():
            self._place = open_place(url, request_seconds=request_seconds)
        self._store = self._place.store

    def put(self, key: str, path: Path, *, content_type: str = "") -> None:
        """Store the file at ``path`` under ``key``, completely or not at all.

        A bucket also stores ``content_type`` and a file name for downloads. Large files are
        uploaded in parts, which become visible together.
        """
        attributes = self._place.attributes(content_type, file_name=download_name(key))
        with _store_errors():
            obstore.put(
                self._store,
                key,
                path,
                attributes=attributes,
                chunk_size=self._place.part_bytes,
                max_concurrency=self._place.parts_at_once,
            )

    def size(self, key: str) -> int:
        """Return the size of a file in bytes."""
        with _read_errors():
            try:
                return int(obstore.head(self._store, key)["size"])
            except FileNotFoundError:
                # A response to HEAD has no body, so it does not say what is missing. Ask again.
                obstore.get_range(self._store, key, start=0, end=1)
                raise

    def read(self, key: str, *, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to ``end`` (exclusive) in chunks."""
        position = start
        while position < end:
            step = min(end, position + self._place.chunk_bytes)
            with _read_errors():
                chunk = bytes(obstore.get_range(self._store, key, start=position, end=step))
            if not chunk:
                raise ArtifactExpired("The file ended early.")
            yield chunk
            position += len(chunk)

    def signed_url(self, key: str, *, seconds: int) -> str | None:
        """Return a URL from which anyone can download the file for ``seconds``.

        Does not call the store. Returns None for a disk, whose files have no URLs.
        """
        with _store_errors():
            return self._place.signed_url(key, timedelta(seconds=seconds))

    def delete_prefix(self, prefix: str) -> int:
        """Delete all files under ``prefix/``, and return an upper bound of their number.

        Other processes may delete them at the same time.
        """
        count = 0
        before: list[str] = []
        with _store_errors():
            while paths := self._some_below(prefix):
                if paths == before:
                    raise OSError(f"{prefix}: deleted files are still there")
                before = paths
                count += len(paths)
                with suppress(FileNotFoundError):  # on a disk, if another process was faster
                    obstore.delete(self._store, paths)
            self._place.tidy(prefix)
        return count

    def _some_below(self, prefix: str) -> list[str]:
        batches = iter(obstore.list(self._store, prefix=prefix, chunk_size=1000))
        return [item["path"] for item in next(batches, ())]

    def attempts(self) -> Iterator[tuple[str, list[int]]]:
        """Yield each job that has stored files, with the fences of its attempts."""
        with _store_errors():
            yield from self._place.attempts()

    def probe(self) -> None:
        """Write, read, list and delete a small file, to check that the store works."""
        key = f".probe/{uuid.uuid4().hex}"
        with _store_errors():
            obstore.put(self._store, key, b"ok")
            obstore.get_range(self._store, key, start=0, end=2)
            for _ in obstore.list(self._store, prefix=".probe"):
                pass
            obstore.delete(self._store, key)


def attempt_prefix(job_id: str, fence: int) -> str:
    """Return the prefix of an attempt's files.

    A job id may contain ``:`` and ``.``, but no slash, and does not start with a dot.
    """
    return f"{job_id}/{fence}"


def download_name(key: str) -> str:
    """Return the file name for downloads: job id and name, with safe characters only."""
    path = PurePosixPath(key)
    return _UNSAFE.sub("-", f"{path.parts[0]}-{path.name}")
