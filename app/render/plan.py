"""The plan of a dry run: what would be rendered, without reading any media.

Nothing that this module imports decodes or encodes; a scheduler may load it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.contract.remote import public_uri
from app.render import planned
from app.render.assets import missing_assets, unread_assets
from app.render.captions.cues import Cue, build_cues
from app.render.model import chapters
from app.render.model.parsing import parse
from app.render.model.request import Asset, Request
from app.render.model.storyboard import Step, Storyboard
from app.render.progress import Progress
from app.render.renderers import PLAN_FILE
from app.render.result import RenderedFile, RenderResult
from app.render.sound.voices import lacking_voice
from app.render.story import cost, layout
from app.render.story.layout import PlacedText
from app.render.story.timeline import build_storyboard
from app.render.text import fonts


def plan(
    payload: Mapping[str, Any],
    *,
    asset_dir: Path | None = None,
    font_dirs: Sequence[Path] = (),
) -> dict[str, Any]:
    """Return what a render of ``payload`` would make, ready for JSON.

    Narrations are not measured: steps that they would lengthen are estimated,
    and a warning says so. Boxes are fractions of the frame, times are seconds.

    Args:
        payload: A preview job that fulfils the contract; its steps may be empty.
        asset_dir: The project's own directory; assets by path that a render would refuse
            are named. None where it is not known.
        font_dirs: Directories of installed fonts, used after the vendored ones.

    Raises:
        ValidationFailed: The film would be longer than ``maxDurationSec``.
    """
    request = parse(payload, unread_assets(payload))
    missing = [] if asset_dir is None else missing_assets(payload, asset_dir)
    with fonts.using(fonts.film_fonts(request, directories=font_dirs)):
        return _planned(request, missing)


def write_plan(
    payload: Mapping[str, Any],
    *,
    asset_dir: Path,
    out_dir: Path,
    threads: int,  # noqa: ARG001 - a renderer's arguments
    on_progress: Callable[[Progress], None],
    step_cache: object = None,  # noqa: ARG001 - as above
    fetched: object = None,  # noqa: ARG001 - as above
    font_dirs: Sequence[Path] = (),
) -> RenderResult:
    """Write the plan of ``payload`` into ``out_dir``. Runs in the limited child process.

    Args:
        payload: As for :func:`plan`.
        asset_dir: As for :func:`plan`.
        out_dir: Created if needed.
        threads: Not used.
        on_progress: Called once.
        step_cache: Not used.
        fetched: Not used.
        font_dirs: As for :func:`plan`.

    Raises:
        ValidationFailed: The film would be longer than ``maxDurationSec``.
    """
    on_progress(Progress("preparing"))
    found = plan(payload, asset_dir=asset_dir, font_dirs=font_dirs)
    content = json.dumps(found, ensure_ascii=False).encode()
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / PLAN_FILE).write_bytes(content)
    file = RenderedFile("plan", PLAN_FILE, "application/json", len(content), "")
    return RenderResult((file,), tuple(found["warnings"]), found["durationSec"], found["frames"])


def _planned(request: Request, missing: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    storyboard = build_storyboard(request, narration_seconds={})
    cues = build_cues(storyboard)
    return {
        "title": storyboard.title,
        "resolution": f"{storyboard.width}x{storyboard.height}",
        "fps": storyboard.fps,
        "format": request.options.container,
        "durationSec": round(storyboard.seconds, 6),
        "frames": storyboard.frames,
        "steps": [_step(step, storyboard, cues) for step in storyboard.steps],
        "files": _files(storyboard, request, cues),
        "assets": list(map(_asset, request.assets)),
        "missingAssets": missing,
        "estimatedCost": _cost(storyboard, request),
        "warnings": [
            *storyboard.warnings,
            *_asset_warnings(request),
            *(item["detail"] for item in missing),
        ],
    }


def _asset(asset: Asset) -> dict[str, str]:
    where = {"path": asset.path} if asset.path else {"uri": public_uri(asset.uri)}
    return {"id": asset.id, "type": asset.type, **where}


def _cost(storyboard: Storyboard, request: Request) -> dict[str, Any]:
    sounds = bool(request.narrations or request.sound.music or request.voice)
    found = cost.estimate(storyboard, sounds=sounds)
    if not storyboard.frames:
        return {"cpuSec": 0.0, "framesDrawn": 0, "framesHeld": 0}
    return {
        "cpuSec": found.cpu_seconds,
        "framesDrawn": found.drawn,
        "framesHeld": found.held,
    }


def _step(step: Step, storyboard: Storyboard, cues: Sequence[Cue]) -> dict[str, Any]:
    size = (storyboard.width, storyboard.height)
    placed = layout.place(
        step.texts, step.pictures, width=size[0], height=size[1], arrangement=step.arrangement
    )
    return {
        "id": step.id,
        "startSec": planned.seconds(step.start, storyboard.fps),
        "durationSec": planned.seconds(step.frames, storyboard.fps),
        "frames": step.frames,
        "durationSource": step.duration_source,
        "layout": step.arrangement.mode,
        "transition": planned.transition(step, storyboard.fps),
        "motions": planned.motions(step.motions, storyboard.fps),
        "pictures": planned.pictures(placed, storyboard),
        "callouts": planned.callouts(step, storyboard.fps),
        "texts": [_text(text, storyboard) for text in placed.texts],
        "cues": [
            {
                "index": cue.index,
                "startSec": round(cue.start_seconds, 6),
                "endSec": round(cue.end_seconds, 6),
                "lines": list(cue.lines),
            }
            for cue in cues
            if cue.step_id == step.id
        ],
    }


def _text(text: PlacedText, storyboard: Storyboard) -> dict[str, Any]:
    ink, span, fps = text.ink, text.layer.span, storyboard.fps
    return {
        "role": text.layer.role,
        "text": text.layer.text,
        **planned.times(span, fps),
        "lines": [line.text for line in text.block.lines],
        "sizePx": round(text.block.size, 2),
        "box": planned.box(ink, storyboard),
    }


def _files(storyboard: Storyboard, request: Request, cues: Sequence[Cue]) -> list[str]:
    if not storyboard.frames:
        return []
    names = [f"preview.{request.options.container}", "poster.jpg", "contact-sheet.jpg"]
    names += [f"thumbnails/{index + 1:02}.jpg" for index in range(storyboard.thumbnails)]
    if storyboard.include_captions and cues:
        names += ["captions.srt", "captions.vtt"]
    for asset in request.translations:
        language = asset.language.lower()
        names += [f"captions.{language}.srt", f"captions.{language}.vtt"]
    if chapters.chapters_json(storyboard) is not None:
        names.append("chapters.json")
    return [*names, "manifest.json"]


def _asset_warnings(request: Request) -> list[str]:
    warnings = []
    if any(asset.type == "font" for asset in request.assets):
        warnings.append(
            "fonts of the job are not opened in a dry run; its texts are measured in others"
        )
    if request.narrations:
        warnings.append("narrations are not measured in a dry run; their steps may last longer")
    if request.voice:
        warnings.append("speech is not made in a dry run; steps may last longer")
        if lacking := lacking_voice(request.voice.provider):
            warnings.append(f"{lacking}; a render would fail")
    return warnings
