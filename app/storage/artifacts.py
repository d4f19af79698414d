"""The artifact store: finished files of jobs by key, wherever they are.

Keys are ``<jobId>/<fence>/<name>``: an attempt writes under its own prefix, and
nothing is in view before the ledger's settle has stored the list of files.
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
#: What a bucket's server calls its refusal, in the body of the answer.
_S3_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")


def _unavailable(error: Exception) -> StorageUnavailable:
    code = _S3_CODE.search(str(error))
    why = f" ({code[1]})" if code else ""
    return StorageUnavailable(f"The artifact store cannot be read or written{why}.")


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise _unavailable(error) from error


@contextmanager
def _read_errors() -> Iterator[None]:
    """What is not there has expired, unless it is the whole bucket that is missing."""
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise _unavailable(error) from error
        raise ArtifactExpired("The file is no longer in the store.") from error
    except (BaseError, OSError, ValueError) as error:
        raise _unavailable(error) from error


class ArtifactStore:
    """Files by key, on whatever ``STORAGE_URL`` names. Threads share it; processes do not.

    Args:
        url: ``file:///directory``, made when absent, or ``s3://bucket/prefix``, whose endpoint,
            region and credentials are those of the environment; ``?allow-http=true`` lets the
            endpoint be ``http://``.
        request_seconds: Longest single request to a bucket; a call that fails has taken twice that.

    Raises:
        StorageUnavailable: From every method when the store fails, is full or lets nobody in.
        ArtifactExpired: From reads when there is no such file.
    """

    def __init__(self, url: str, *, request_seconds: float = REQUEST_SECONDS) -> None:
        with _store_errors():
            self._place = open_place(url, request_seconds=request_seconds)
        self._store = self._place.store

    def put(self, key: str, path: Path, *, content_type: str = "") -> None:
        """Store the file at ``path`` under ``key``, whole or not at all.

        A bucket keeps ``content_type`` and a name for downloads with it; large files go in parts,
        which come into view together.
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
        """Return the bytes of a file."""
        with _read_errors():
            try:
                return int(obstore.head(self._store, key)["size"])
            except FileNotFoundError:
                # The answer to HEAD has no body, so it does not tell what is missing.
                obstore.get_range(self._store, key, start=0, end=1)
                raise

    def read(self, key: str, *, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to ``end`` (excluded) in chunks."""
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
        """Return a URL that gives anybody this file for ``seconds``, without asking the store.

        Returns:
            None where the files have no URLs of their own.
        """
        with _store_errors():
            return self._place.signed_url(key, timedelta(seconds=seconds))

    def delete_prefix(self, prefix: str) -> int:
        """Delete every file under ``prefix/``; returns how many there were, at most.

        Others may delete them at the same time.
        """
        count = 0
        before: list[str] = []
        with _store_errors():
            while paths := self._some_below(prefix):
                if paths == before:
                    raise OSError(f"{prefix}: files stay, though they were deleted")
                before = paths
                count += len(paths)
                with suppress(FileNotFoundError):  # on a disk; another was faster
                    obstore.delete(self._store, paths)
            self._place.tidy(prefix)
        return count

    def _some_below(self, prefix: str) -> list[str]:
        batches = iter(obstore.list(self._store, prefix=prefix, chunk_size=1000))
        return [item["path"] for item in next(batches, ())]

    def attempts(self) -> Iterator[tuple[str, list[int]]]:
        """Yield each job that something is stored of, with the fences of its attempts."""
        with _store_errors():
            yield from self._place.attempts()

    def probe(self) -> None:
        """Write, read, list and delete a small file, to find out whether the store works."""
        key = f".probe/{uuid.uuid4().hex}"
        with _store_errors():
            obstore.put(self._store, key, b"ok")
            obstore.get_range(self._store, key, start=0, end=2)
            for _ in obstore.list(self._store, prefix=".probe"):
                pass
            obstore.delete(self._store, key)


def attempt_prefix(job_id: str, fence: int) -> str:
    """Return the prefix of one attempt's files.

    A job id may hold ``:`` and ``.``, never a slash, and never starts with a dot.
    """
    return f"{job_id}/{fence}"


def download_name(key: str) -> str:
    """Return the name under which a browser saves a file: job and file, in safe characters."""
    path = PurePosixPath(key)
    return _UNSAFE.sub("-", f"{path.parts[0]}-{path.name}")
