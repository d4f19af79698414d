"""The files of a preview against its manifest, and the rules of chapters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from app.render.inspect.rules import Check, Rule
from app.render.model.chapters import MIN_CHAPTER_SECONDS, MIN_CHAPTERS

#: Name of the file that lists the others.
MANIFEST: Final = "manifest.json"
#: What every preview has.
_REQUIRED: Final = frozenset({"video", "poster", "contact-sheet"})
#: A manifest of hundreds of steps and files has some 100 kB.
MAX_TEXT_BYTES: Final = 16 * 1024 * 1024

FILES: Final = Rule(
    "Files", "files", "video, poster, contact sheet; all that are listed", hard=True
)
SHA256: Final = Rule("Files", "sha256-and-size", "as the manifest says", hard=True)
UNLISTED: Final = Rule("Files", "unlisted-files", "none")
CHAPTERS: Final = Rule(
    "Files", "chapters", "first at 0:00, at least 3, each at least 10 s, without gaps"
)


def listed_files(directory: Path, manifest: Mapping[str, Any]) -> dict[str, list[Path]]:
    """Return the files that the manifest lists, by kind.

    Raises:
        ValueError: A name leads out of the directory.
        KeyError: It is no manifest; so for TypeError.
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
    """Yield the checks of the files as bytes."""
    root = directory.resolve()
    files = listed_files(directory, manifest)
    missing = [path for paths in files.values() for path in paths if not path.is_file()]
    lacking = sorted(_REQUIRED - files.keys()) + [path.name for path in missing]
    count = sum(map(len, files.values()))
    told = f"missing: {', '.join(lacking[:3])}" if lacking else f"{count} and the manifest"
    yield FILES.check(told, holds=not lacking)
    changed = [
        str(entry["name"])
        for entry in manifest["files"]
        if not _unchanged((root / str(entry["name"])).resolve(), entry)
    ]
    told = f"changed: {', '.join(changed[:3])}" if changed else f"{count} of {count} right"
    yield SHA256.check(told, holds=not changed)
    known = {path for paths in files.values() for path in paths} | {root / MANIFEST}
    strangers = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if not path.is_dir() and path.resolve() not in known
    )
    yield UNLISTED.check(", ".join(strangers[:3]) or "none", holds=not strangers)
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
        and all(abs(first[1] - second[0]) < 0.002 for first, second in pairwise(spans))  # noqa: PLR2004 - written in milliseconds
    )
    return CHAPTERS.check(f"{len(spans)}, the shortest {shortest:.1f} s", holds=holds)
