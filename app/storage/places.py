"""The places for artifacts: what differs between a disk and a bucket."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, S3Store

if TYPE_CHECKING:  # only in the library's stubs
    from obstore import Attributes

#: Chunk size for serving a file from a disk.
CHUNK_BYTES: Final = 256 * 1024
#: Chunk size for serving a file from a bucket, where each chunk costs a request.
S3_CHUNK_BYTES: Final = 1024 * 1024
#: Larger files are uploaded to a bucket in parts of this size (S3: at least 5 MiB, 10,000 parts).
PART_BYTES: Final = 8 * 1024 * 1024
#: Parts of a file that are uploaded at the same time; each is held in memory.
PARTS_AT_ONCE: Final = 3
#: Timeout of a request to a bucket, and of all its retries.
REQUEST_SECONDS: Final = 30.0
#: Timeout of connecting to a bucket's endpoint.
CONNECT_SECONDS: Final = 5.0
#: Most retries of a request. A job whose files cannot be stored is retried as well.
MAX_RETRIES: Final = 3
#: Beginning of an attempt's keys: a job id and a fence, which is a time in microseconds. Other
#: files must not be swept: a volume has a lost+found, a bucket may have reports/2026/.
_JOB: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_FENCE: Final = re.compile(r"[0-9]{16}")
_KEY: Final = re.compile(rf"({_JOB.pattern})/({_FENCE.pattern})/")


class Place(Protocol):
    """A place for files.

    Attributes:
        store: The object store of obstore.
        chunk_bytes: Chunk size for serving a file.
        part_bytes: Larger files are uploaded in parts of this size.
        parts_at_once: Parts that are uploaded at the same time.
    """

    store: ObjectStore
    chunk_bytes: int
    part_bytes: int
    parts_at_once: int

    def attributes(self, content_type: str, *, file_name: str) -> Attributes | None:
        """Return the headers to store with a file, None if the place has none."""

    def signed_url(self, key: str, lifetime: timedelta) -> str | None:
        """Return a URL that needs no credentials, None if the place has no URLs."""

    def attempts(self) -> Iterator[tuple[str, list[int]]]:
        """Yield each job with the fences of its attempts."""

    def tidy(self, prefix: str) -> None:
        """Remove what remains of a prefix after its files were deleted."""


class Disk:
    """A directory, local or shared by several machines.

    Args:
        directory: Created if necessary.
    """

    chunk_bytes = CHUNK_BYTES
    part_bytes = PART_BYTES
    parts_at_once = PARTS_AT_ONCE

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.store: ObjectStore = LocalStore(directory, mkdir=True, automatic_cleanup=True)

    def attributes(self, content_type: str, *, file_name: str) -> None:  # noqa: ARG002 - files have none
        """Return None: the ledger holds the media types."""
        return

    def signed_url(self, key: str, lifetime: timedelta) -> None:  # noqa: ARG002 - nobody serves them but we
        """Return None: only the API serves the files."""
        return

    def attempts(self) -> Iterator[tuple[str, list[int]]]:
        """List directories, not files: an attempt that was killed may have no finished file."""
        for job in sorted(self._directory.iterdir()):
            if _JOB.fullmatch(job.name):
                with suppress(FileNotFoundError, NotADirectoryError):  # just swept, or not a job
                    names = [attempt.name for attempt in job.iterdir()]
                    yield job.name, sorted(int(name) for name in names if _FENCE.fullmatch(name))

    def tidy(self, prefix: str) -> None:
        """Remove unfinished files of a killed writer, which no listing contains."""
        directory = self._directory / prefix
        shutil.rmtree(directory, ignore_errors=True)
        if directory.parent != self._directory:
            with suppress(OSError):  # not empty: the job has other attempts
                directory.parent.rmdir()


class Bucket:
    """An S3-compatible bucket.

    obstore reads endpoint, region and credentials from the environment (``AWS_ENDPOINT_URL_S3`` or
    ``AWS_ENDPOINT_URL``, ``AWS_REGION``, ``AWS_ACCESS_KEY_ID`` and the other variables of the SDKs)
    or from the role of the machine or pod, and renews temporary credentials.

    Args:
        name: Name of the bucket, which must exist.
        prefix: Prefix of all keys, "" for none.
        allow_http: Whether the endpoint may be ``http://``.
        request_seconds: Timeout of a request.
    """

    chunk_bytes = S3_CHUNK_BYTES
    part_bytes = PART_BYTES
    parts_at_once = PARTS_AT_ONCE

    def __init__(self, name: str, prefix: str, *, allow_http: bool, request_seconds: float) -> None:
        limit = timedelta(seconds=request_seconds)
        self._bucket = S3Store(
            name,
            prefix=prefix or None,
            client_options={
                "allow_http": allow_http,
                "connect_timeout": min(limit, timedelta(seconds=CONNECT_SECONDS)),
                "timeout": limit,
            },
            retry_config={
                "max_retries": MAX_RETRIES,
                "retry_timeout": limit,
                "backoff": {"max_backoff": timedelta(seconds=5)},
            },
        )
        self.store: ObjectStore = self._bucket

    def attributes(self, content_type: str, *, file_name: str) -> Attributes:
        """Return the headers with which the bucket serves a file."""
        headers: Attributes = {"Content-Disposition": f'inline; filename="{file_name}"'}
        return {**headers, "Content-Type": content_type} if content_type else headers

    def signed_url(self, key: str, lifetime: timedelta) -> str:
        """Return a presigned URL for GET."""
        return obstore.sign(self._bucket, "GET", key, lifetime)

    def attempts(self) -> Iterator[tuple[str, list[int]]]:
        """List all files, in the order of their keys: one request per thousand files."""
        found = (
            _KEY.match(item["path"])
            for batch in obstore.list(self.store, chunk_size=1000)
            for item in batch
        )
        for job_id, group in groupby(filter(None, found), key=itemgetter(1)):
            yield job_id, sorted({int(key[2]) for key in group})

    def tidy(self, prefix: str) -> None:
        """Do nothing: the bucket's lifecycle rules delete the parts of a killed writer."""


def open_place(url: str, *, request_seconds: float) -> Place:
    """Return the place that ``STORAGE_URL`` names. The settings have validated the URL."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return Bucket(
            parts.netloc,
            parts.path.strip("/"),
            allow_http=parse_qs(parts.query).get("allow-http") == ["true"],
            request_seconds=request_seconds,
        )
    return Disk(Path(unquote(parts.path)))
