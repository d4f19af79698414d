"""Copies finished files from the store to a path: complete and verified, or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from app.cli.output.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from app.storage import ArtifactStore

#: Suffix of a file that is not complete yet.
_PARTIAL = ".part"


def save(
    store: ArtifactStore, artifact: Mapping[str, Any], target: Path, *, force: bool = False
) -> None:
    """Write an artifact to ``target``, which appears once it is complete and its digest right.

    Args:
        store: Where the artifact is.
        artifact: Its entry in the job's record.
        target: The file to make.
        force: Replace an existing file.

    Raises:
        CommandFailed: The file exists, cannot be written, or is not what the job recorded.
        ArtifactExpired: The store no longer has it.
    """
    if not force and target.exists():
        raise CommandFailed(f"{target} exists; --force replaces it", ExitCode.UNREADABLE)
    # Two commands that download the same file must not write into the same partial file.
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}{_PARTIAL}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                for chunk in checked(store, artifact):
                    file.write(chunk)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandFailed(f"cannot write {target}: {reason}", ExitCode.UNREADABLE) from error


def pipe(store: ArtifactStore, artifact: Mapping[str, Any]) -> None:
    """Write an artifact to standard output."""
    for chunk in checked(store, artifact):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def checked(store: ArtifactStore, artifact: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield an artifact's bytes.

    Raises:
        CommandFailed: After the last chunk, if the bytes are not what the job recorded.
    """
    digest = hashlib.sha256()
    for chunk in store.read(artifact["key"], start=0, end=artifact["bytes"]):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != artifact["sha256"]:
        raise CommandFailed(f"{artifact['name']} in the store is damaged: its SHA-256 differs")


def store_directory(url: str) -> Path | None:
    """Return the directory of an artifact store by its URL, None for a bucket."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def local_name(artifact: Mapping[str, Any]) -> Path:
    """Return an artifact's name as a relative path that stays below the target directory."""
    parts = [part for part in PurePosixPath(artifact["name"]).parts if part not in ("..", "/", ".")]
    return Path(*parts)


def target_path(out: str | None, job_id: str, artifact: Mapping[str, Any]) -> Path:
    """Return the file to write: ``out`` or a file in it, without it one in this directory."""
    name = f"{job_id}-{local_name(artifact).name}"
    if out is None:
        return Path(name)
    return Path(out) / name if out.endswith(os.sep) or Path(out).is_dir() else Path(out)
