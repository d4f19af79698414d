"""The manifest: what went into a preview, what came out, and with which tools.

It holds no clock and no path, so that the same job gives the same manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import PIL
import uharfbuzz as hb

from app import __version__
from app.render import planned
from app.render.captions.cues import Cue, reading_speed
from app.render.captions.texts import Texts
from app.render.captions.translations import Translation
from app.render.inspect.rules import Check, to_json
from app.render.model.request import Asset, Request, StepRequest
from app.render.model.storyboard import Step, Storyboard
from app.render.result import RenderedFile
from app.render.sound.onsets import Shape
from app.render.sound.soundtrack import SoundReport
from app.render.text import fonts, segmentation
from app.render.text.setting import clean
from app.render.video.film import Film

#: Version of the manifest's own format.
FORMAT_VERSION: Final = 1
#: Media type of each kind of file, and of films by their names.
CONTENT_TYPES: Final = {
    "preview.mp4": "video/mp4",
    "preview.webm": "video/webm",
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
    known = f"captions{path.suffix}" if kind.startswith("captions.") else kind  # in any language
    content_type = CONTENT_TYPES[path.name if kind == "video" else known]
    return RenderedFile(kind, name, content_type, size, digest)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What went into a preview and what came of it.

    Attributes:
        request: What the author asked for.
        storyboard: What it became.
        texts: Captions and chapters.
        film: The film.
        sound: What was measured of its sound.
        report: The rules that the preview was held to.
        files: All files of the preview but the manifest.
        warnings: What to tell the author.
    """

    request: Request
    storyboard: Storyboard
    texts: Texts
    film: Film
    sound: SoundReport
    report: Sequence[Check]
    files: Sequence[RenderedFile]
    warnings: Sequence[str]

    def write(self, directory: Path) -> RenderedFile:
        """Write the manifest into ``directory`` and describe it."""
        path = directory / "manifest.json"
        text = json.dumps(self.to_json(), ensure_ascii=False, indent=2) + "\n"
        path.write_text(text, encoding="utf-8")
        return describe(path, kind="manifest", root=directory)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        storyboard = self.storyboard
        return {
            "manifestVersion": FORMAT_VERSION,
            "jobId": self.request.job_id,
            "projectId": self.request.project_id,
            "tools": _tools(self.film.x264_version),
            "video": _video(storyboard),
            "inputs": list(map(_input, self.request.assets)),
            "files": list(map(_file, self.files)),
            "timeline": [
                _step(step, storyboard, given=given)
                for step, given in zip(storyboard.steps, _given_steps(self.request), strict=True)
            ],
            "captions": {
                "language": storyboard.language,
                **_reading(self.texts.cues),
                **_translated(self.texts.translations),
            },
            "sound": self.sound.to_json(),
            "quality": {"checks": to_json(self.report)},
            "warnings": list(self.warnings),
            **_fonts(storyboard),
            **_cache_use(self.film),
        }


def _video(storyboard: Storyboard) -> dict[str, Any]:
    return {
        "width": storyboard.width,
        "height": storyboard.height,
        "fps": storyboard.fps,
        "frames": storyboard.frames,
        "durationSec": round(storyboard.seconds, 6),
        "quality": storyboard.quality,
    }


def _file(file: RenderedFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "kind": file.kind,
        "contentType": file.content_type,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }


def _step(step: Step, storyboard: Storyboard, *, given: StepRequest) -> dict[str, Any]:
    return {
        "stepId": step.id,
        "startSec": planned.seconds(step.start, storyboard.fps),
        "durationSec": planned.seconds(step.frames, storyboard.fps),
        "frames": step.frames,
        "durationSource": step.duration_source,
        **planned.shown(step, storyboard, given=given),
        "narration": _narration(step, storyboard.fps),
    }


def _given_steps(request: Request) -> Sequence[StepRequest]:
    return request.steps or (StepRequest("title"),)  # a title card


def _narration(step: Step, fps: int) -> dict[str, Any] | None:
    spoken = step.narration
    if spoken is None:
        return None
    begins = round(step.start / fps + spoken.offset_seconds, 6)
    # Speech that was made for this film may be gone by now.
    there = spoken.path.is_file()
    shape = Shape.of_file(spoken.path, asset_id=spoken.asset_id) if there else None
    return {
        "assetId": spoken.asset_id,
        "startSec": begins,
        **(shape.to_json() if shape else {}),
    }


def _reading(cues: Sequence[Cue]) -> dict[str, Any]:
    return {"cues": len(cues), "maxCharsPerSecond": round(reading_speed(cues), 2)}


def _translated(translations: Sequence[Translation]) -> dict[str, Any]:
    if not translations:
        return {}
    return {"languages": {one.language: _reading(one.cues) for one in translations}}


def _fonts(storyboard: Storyboard) -> dict[str, Any]:
    """Return the font families of the film's texts, apart from the vendored ones."""
    texts = [text.text for step in storyboard.steps for text in step.texts]
    texts += [callout.label for step in storyboard.steps for callout in step.callouts]
    used = fonts.current().signature(map(clean, texts))
    shown = [dict(zip(("family", "regular", "bold"), one, strict=True)) for one in used]
    return {"fonts": shown} if shown else {}


def _cache_use(film: Film) -> dict[str, Any]:
    if not (film.hits or film.misses):
        return {}
    return {"stepCache": {"hits": film.hits, "misses": film.misses}}


def _tools(x264_version: str) -> dict[str, str]:
    versions = {
        "mobius-preview-worker": __version__,
        "pyav": av.__version__,
        "pillow": PIL.__version__,
        "numpy": np.__version__,
        "harfbuzz": hb.version_string(),
    }
    if icu := segmentation.version():
        versions["icu4py"] = icu
    if x264_version:
        versions["x264"] = x264_version
    for library, version in sorted(av.library_versions.items()):
        versions[library] = ".".join(map(str, version))
    return versions


def _input(asset: Asset) -> dict[str, Any]:
    size, digest = _digest(asset.file)
    return {"id": asset.id, "type": asset.type, "bytes": size, "sha256": digest}


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
