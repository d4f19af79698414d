"""The manifest: what went into a preview, what came out, and with which tools.

It holds no clock and no path, so that the same job gives the same manifest.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np
import PIL

from app import __version__
from app.render.captions import reading_speed
from app.render.result import RenderedFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from app.render.captions import Cue
    from app.render.storyboard import Storyboard

#: Version of the manifest's own format.
FORMAT_VERSION: Final = 1
#: Media type of each kind of file.
CONTENT_TYPES: Final = {
    "video": "video/mp4",
    "poster": "image/jpeg",
    "contact-sheet": "image/jpeg",
    "thumbnail": "image/jpeg",
    "captions.srt": "application/x-subrip",
    "captions.vtt": "text/vtt",
    "chapters": "application/json+chapters",
    "manifest": "application/json",
}


def describe(path: Path, *, kind: str, root: Path) -> RenderedFile:
    """Return the size and checksum of the file at ``path``, named relative to ``root``."""
    size, digest = _digest(path)
    name = path.relative_to(root).as_posix()
    return RenderedFile(kind, name, CONTENT_TYPES[kind], size, digest)


def manifest_json(
    payload: Mapping[str, Any],
    storyboard: Storyboard,
    *,
    assets: Mapping[str, Path],
    files: Sequence[RenderedFile],
    cues: Sequence[Cue],
    warnings: Sequence[str],
    x264_version: str,
) -> bytes:
    """Return the manifest as JSON; ``files`` are all others."""
    document = {
        "manifestVersion": FORMAT_VERSION,
        "jobId": payload["jobId"],
        "projectId": payload["projectId"],
        "tools": _tools(x264_version),
        "video": {
            "width": storyboard.width,
            "height": storyboard.height,
            "fps": storyboard.fps,
            "frames": storyboard.frames,
            "durationSec": round(storyboard.seconds, 6),
            "quality": storyboard.quality,
        },
        "inputs": _inputs(payload, assets),
        "files": [
            {
                "name": file.name,
                "kind": file.kind,
                "contentType": file.content_type,
                "bytes": file.bytes,
                "sha256": file.sha256,
            }
            for file in files
        ],
        "timeline": [
            {
                "stepId": step.id,
                "startSec": round(step.start / storyboard.fps, 6),
                "durationSec": round(step.frames / storyboard.fps, 6),
                "frames": step.frames,
                "durationSource": step.duration_source,
            }
            for step in storyboard.steps
        ],
        "captions": {
            "cues": len(cues),
            "maxCharsPerSecond": round(reading_speed(cues), 2),
        },
        "warnings": list(warnings),
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _tools(x264_version: str) -> dict[str, str]:
    versions = {
        "mobius-preview-worker": __version__,
        "pyav": av.__version__,
        "pillow": PIL.__version__,
        "numpy": np.__version__,
        "x264": x264_version,
    }
    for library, version in sorted(av.library_versions.items()):
        versions[library] = ".".join(map(str, version))
    return versions


def _inputs(payload: Mapping[str, Any], assets: Mapping[str, Path]) -> list[dict[str, Any]]:
    inputs = []
    for asset in payload["previewRequest"].get("assets", ()):
        size, digest = _digest(assets[asset["id"]])
        inputs.append({"id": asset["id"], "type": asset["type"], "bytes": size, "sha256": digest})
    return inputs


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
