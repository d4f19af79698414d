"""Stores artifacts, the finished files of jobs, on a disk or in a bucket."""

from app.storage.artifacts import ArtifactStore, attempt_prefix, download_name
from app.storage.places import CHUNK_BYTES

__all__ = [
    "CHUNK_BYTES",
    "ArtifactStore",
    "attempt_prefix",
    "download_name",
]
