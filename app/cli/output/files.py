"""Finished files: from the store to a path, whole and checked or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from app.cli.output.exits import CommandFailed, ExitCode

if TYPE_CHECKING:
    from app.storage import ArtifactStore

#: Ending of a file that is not complete yet.
_PARTIAL = ".part"


def save(store: ArtifactStore, artifact: Mapping[str, Any], target: Path) -> None:
    """Write an artifact to ``target``, which appears when it is complete and its digest right.

    Raises:
        CommandFailed: The file cannot be written, or is not what the job recorded.
        ArtifactExpired: It has been swept.
    """
    # A name of its own: of two that fetch the same file, neither writes into the other's.
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
        CommandFailed: After the last one, when they are not what the job recorded.
    """
    digest = hashlib.sha256()
    for chunk in store.read(artifact["key"], start=0, end=artifact["bytes"]):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != artifact["sha256"]:
        raise CommandFailed(f"{artifact['name']} in the store is damaged: its SHA-256 differs")


def local_name(artifact: Mapping[str, Any]) -> Path:
    """Return an artifact's name as a relative path that stays below its directory."""
    parts = [part for part in PurePosixPath(artifact["name"]).parts if part not in ("..", "/", ".")]
    return Path(*parts)


def target_path(out: str | None, job_id: str, artifact: Mapping[str, Any]) -> Path:
    """Return where to write: ``out``, inside it if a directory, by default beside us."""
    name = f"{job_id}-{local_name(artifact).name}"
    if out is None:
        return Path(name)
    return Path(out) / name if out.endswith(os.sep) or Path(out).is_dir() else Path(out)
