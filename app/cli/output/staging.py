"""A preview's directory: it appears complete, and replaces nothing but an earlier preview."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from pathlib import Path

from app.cli.output.exits import CommandFailed, ExitCode

#: Name of the file that lists the others.
MANIFEST = "manifest.json"
#: Largest manifest that is read; one of a film with hundreds of steps has 100 kB.
_MAX_MANIFEST_BYTES = 16 * 1024 * 1024


def preview_place(out: Path, *, force: bool) -> Path:
    """Return the absolute path of a new preview, and make its parent.

    Args:
        out: As the user wrote it.
        force: Whether an earlier preview may be replaced.

    Raises:
        CommandFailed: Something is in the way, or the directory cannot be written.
    """
    place = out.resolve()
    if Path.cwd().is_relative_to(place):
        raise _refusal(f"{out} is, or contains, the current directory; name another one")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _require_replaceable(place, force=force)
        with tempfile.TemporaryFile(dir=place.parent):
            pass  # before the render: it takes minutes, and could not be kept
    except OSError as error:
        raise _refusal(
            f"cannot write {out}: {error.strerror or error}; choose another directory with --out"
        ) from error
    return place


def publish(partial: Path, place: Path, *, force: bool) -> None:
    """Move the finished directory ``partial`` to ``place``.

    Raises:
        CommandFailed: It cannot be moved. ``place`` is unchanged.
    """
    aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}.earlier")
    try:
        _require_replaceable(place, force=force)  # it may have changed during the render
        if place.exists():
            place.rename(aside)
        partial.rename(place)
    except OSError as error:
        if aside.exists():
            aside.rename(place)
        raise _refusal(f"cannot write {place}: {error.strerror or error}") from error
    shutil.rmtree(aside, ignore_errors=True)


def _require_replaceable(place: Path, *, force: bool) -> None:
    if not place.exists():
        return
    if not place.is_dir():
        raise _refusal(f"{place} is a file; --out must name a directory")
    if not any(place.iterdir()):
        return
    if not force:
        raise _refusal(f"{place} is not empty; --force replaces an earlier preview in it")
    present = {path.relative_to(place).as_posix() for path in place.rglob("*") if not path.is_dir()}
    strangers = sorted(present - _names(place / MANIFEST))
    if strangers:
        raise _refusal(
            f"{place} has a file that is not part of a preview: {strangers[0]}; move it away"
        )


def _names(manifest: Path) -> set[str]:
    """Return the names of the files that ``manifest`` lists, and its own."""
    try:
        with manifest.open("rb") as file:
            document = json.loads(file.read(_MAX_MANIFEST_BYTES))
        return {MANIFEST, *(str(entry["name"]) for entry in document["files"])}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _refusal(message: str) -> CommandFailed:
    return CommandFailed(message, ExitCode.UNREADABLE)
