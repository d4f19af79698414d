"""Checks the files of a preview against its manifest, and the chapters against their rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from app.render.inspect.rules import Check, Rule
from app.render.model.chapters import MIN_CHAPTER_SECONDS, MIN_CHAPTERS

#: Name of the file that lists all others.
MANIFEST: Final = "manifest.json"
#: Kinds of file that every preview has.
_REQUIRED: Final = frozenset({"video", "poster", "contact-sheet"})
#: Largest text file that is read, in bytes. A manifest of hundreds of steps has about 100 kB.
MAX_TEXT_BYTES: Final = 16 * 1024 * 1024

FILES: Final = Rule(
    "Files", "files", "video, poster, contact sheet and every listed file exist", hard=True
)
SHA256: Final = Rule("Files", "sha256-and-size", "as in the manifest", hard=True)
UNLISTED: Final = Rule("Files", "unlisted-files", "none")
CHAPTERS: Final = Rule(
    "Files", "chapters", "at least 3, each at least 10 s, the first at 0:00, no gaps"
)


def listed_files(directory: Path, manifest: Mapping[str, Any]) -> dict[str, list[Path]]:
    """Return the files that the manifest lists, by kind.

    Raises:
        ValueError: A name leads out of the directory.
        KeyError, TypeError: It is not a manifest.
    """
    root = directory.resolve()
    found: dict[str, list[Path]] = {}
    for entry in manifest["files"]:
        path = (root / str(entry["name"])).resolve()
        if not path.is_relative_to(root):
            raise ValueError(f"{entry['name']!r} lies outside the preview")
        found.setdefault(str(entry["kind"]), []).append(path)
    return found


def file_checks(directory: Path, manifest: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks of presence, size and checksum of each file, and of the chapters."""
    root = directory.resolve()
    files = listed_files(directory, manifest)
    missing = [path for paths in files.values() for path in paths if not path.is_file()]
    lacking = sorted(_REQUIRED - files.keys()) + [path.name for path in missing]
    count = sum(map(len, files.values()))
    measured = f"missing: {', '.join(lacking[:3])}" if lacking else f"{count} and the manifest"
    yield FILES.check(measured, holds=not lacking)
    changed = [
        str(entry["name"])
        for entry in manifest["files"]
        if not _unchanged((root / str(entry["name"])).resolve(), entry)
    ]
    measured = f"changed: {', '.join(changed[:3])}" if changed else f"{count} of {count} match"
    yield SHA256.check(measured, holds=not changed)
    listed = {path for paths in files.values() for path in paths} | {root / MANIFEST}
    unlisted = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if not path.is_dir() and path.resolve() not in listed
    )
    yield UNLISTED.check(", ".join(unlisted[:3]) or "none", holds=not unlisted)
    yield _chapters(files.get("chapters", []))


def _unchanged(path: Path, entry: Mapping[str, Any]) -> bool:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return (file.tell(), digest) == (entry["bytes"], entry["sha256"])
    except OSError:
        return False


def _chapters(paths: list[Path]) -> Check:
    if not paths:
        return CHAPTERS.not_applicable("none: too few or too short")
    try:
        with paths[0].open("rb") as file:
            chapters = json.loads(file.read(MAX_TEXT_BYTES))["chapters"]
        spans = [(float(item["startTime"]), float(item["endTime"])) for item in chapters]
        titled = all(str(item["title"]).strip() for item in chapters)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return CHAPTERS.check(f"unreadable: {error}", holds=False)
    shortest = min((end - start for start, end in spans), default=0.0)
    holds = (
        titled
        and len(spans) >= MIN_CHAPTERS
        and spans[0][0] == 0
        and shortest >= MIN_CHAPTER_SECONDS - 0.002
        and all(abs(first[1] - second[0]) < 0.002 for first, second in pairwise(spans))
    )
    return CHAPTERS.check(f"shortest {shortest:.1f} s; chapters: {len(spans)}", holds=holds)
