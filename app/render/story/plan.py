"""The plan of a dry run: what would be rendered, without reading any media.

Nothing that this module imports decodes or encodes; a scheduler may load it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.render.captions.cues import Cue, build_cues
from app.render.captions.translations import caption_languages
from app.render.model import chapters
from app.render.model.numbers import whole_numbers
from app.render.model.storyboard import Step, Storyboard
from app.render.sound.voice import lacking_voice, wanted_voice
from app.render.story import cost, layout, planned
from app.render.story.layout import PlacedText
from app.render.story.timeline import DEFAULT_FORMAT, build_storyboard
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
        font_dirs: Where fonts are installed, beside the vendored ones.

    Raises:
        ValidationFailed: The film would be longer than ``maxDurationSec``.
    """
    payload = whole_numbers(payload)
    with fonts.using(fonts.film_fonts(payload["previewRequest"], directories=font_dirs)):
        return _planned(payload, asset_dir)


def _planned(payload: Mapping[str, Any], asset_dir: Path | None) -> dict[str, Any]:
    request = payload["previewRequest"]
    assets = {asset["id"]: Path(asset.get("path", asset["id"])) for asset in request["assets"]}
    storyboard = build_storyboard(payload, assets=assets, narration_seconds={})
    cues = build_cues(storyboard)
    missing = [] if asset_dir is None else planned.missing_assets(payload, asset_dir)
    return {
        "title": storyboard.title,
        "resolution": f"{storyboard.width}x{storyboard.height}",
        "fps": storyboard.fps,
        "format": _format(request),
        "durationSec": round(storyboard.seconds, 6),
        "frames": storyboard.frames,
        "steps": [_step(step, storyboard, cues) for step in storyboard.steps],
        "files": _files(storyboard, request, cues),
        "assets": [
            {key: asset[key] for key in ("id", "type", "path", "uri") if key in asset}
            for asset in request["assets"]
        ],
        "missingAssets": missing,
        "estimatedCost": _cost(storyboard, request),
        "warnings": [
            *storyboard.warnings,
            *_asset_warnings(request),
            *(item["detail"] for item in missing),
        ],
    }


def _format(request: Mapping[str, Any]) -> str:
    return str(request.get("options", {}).get("format", DEFAULT_FORMAT))


def _cost(storyboard: Storyboard, request: Mapping[str, Any]) -> dict[str, Any]:
    audio = request["audio"]
    sounds = bool(audio.get("narration") or audio.get("music") or wanted_voice(request))
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


def _files(storyboard: Storyboard, request: Mapping[str, Any], cues: Sequence[Cue]) -> list[str]:
    if not storyboard.frames:
        return []
    names = [f"preview.{_format(request)}", "poster.jpg", "contact-sheet.jpg"]
    names += [f"thumbnails/{index + 1:02}.jpg" for index in range(storyboard.thumbnails)]
    if storyboard.include_captions and cues:
        names += ["captions.srt", "captions.vtt"]
    for language in caption_languages(request):
        names += [f"captions.{language}.srt", f"captions.{language}.vtt"]
    if chapters.chapters_json(storyboard) is not None:
        names.append("chapters.json")
    return [*names, "manifest.json"]


def _asset_warnings(request: Mapping[str, Any]) -> list[str]:
    warnings = []
    if any(asset["type"] == "font" for asset in request["assets"]):
        warnings.append(
            "fonts of the job are not opened in a dry run; its texts are measured in others"
        )
    if request["audio"].get("narration"):
        warnings.append("narrations are not measured in a dry run; their steps may last longer")
    if wanted := wanted_voice(request):
        warnings.append("speech is not made in a dry run; steps may last longer")
        if lacking := lacking_voice(wanted[0]):
            warnings.append(f"{lacking}; a render would fail")
    return warnings
