"""The plan of a dry run: what would be rendered, without reading any media.

Nothing that this module imports decodes or encodes; a scheduler may load it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.render import captions, chapters, layout
from app.render.timeline import DEFAULT_FORMAT, build_storyboard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.render.captions import Cue
    from app.render.layout import PlacedText
    from app.render.storyboard import Step, Storyboard


def plan(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a render of ``payload`` would make, ready for JSON.

    Narrations are not measured: steps that they would lengthen are estimated,
    and a warning says so. Boxes are fractions of the frame, times are seconds.

    Args:
        payload: A preview job that fulfils the contract; its steps may be empty.

    Raises:
        ValidationFailed: The film would be longer than ``maxDurationSec``.
    """
    request = payload["previewRequest"]
    assets = {asset["id"]: Path(asset.get("path", asset["id"])) for asset in request["assets"]}
    storyboard = build_storyboard(payload, assets=assets, narration_seconds={})
    cues = captions.build_cues(storyboard)
    return {
        "title": storyboard.title,
        "resolution": f"{storyboard.width}x{storyboard.height}",
        "fps": storyboard.fps,
        "format": _format(request),
        "durationSec": round(storyboard.seconds, 6),
        "frames": storyboard.frames,
        "steps": [_step(step, storyboard, cues) for step in storyboard.steps],
        "files": _files(storyboard, _format(request), cues),
        "assets": [
            {key: asset[key] for key in ("id", "type", "path", "uri") if key in asset}
            for asset in request["assets"]
        ],
        "warnings": [*storyboard.warnings, *_asset_warnings(request)],
    }


def _format(request: Mapping[str, Any]) -> str:
    return str(request.get("options", {}).get("format", DEFAULT_FORMAT))


def _step(step: Step, storyboard: Storyboard, cues: Sequence[Cue]) -> dict[str, Any]:
    size = (storyboard.width, storyboard.height)
    placed = layout.place(step.texts, step.pictures, width=size[0], height=size[1])
    return {
        "id": step.id,
        "startSec": round(step.start / storyboard.fps, 6),
        "durationSec": round(step.frames / storyboard.fps, 6),
        "frames": step.frames,
        "durationSource": step.duration_source,
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
        "startSec": round(span.start / fps, 6),
        "endSec": round(span.end / fps, 6),
        "lines": [line.text for line in text.block.lines],
        "sizePx": round(text.block.size, 2),
        "box": {
            "x": round(ink.x / storyboard.width, 4),
            "y": round(ink.y / storyboard.height, 4),
            "width": round(ink.width / storyboard.width, 4),
            "height": round(ink.height / storyboard.height, 4),
        },
    }


def _files(storyboard: Storyboard, extension: str, cues: Sequence[Cue]) -> list[str]:
    if not storyboard.frames:
        return []
    names = [f"preview.{extension}", "poster.jpg", "contact-sheet.jpg"]
    names += [f"thumbnails/{index + 1:02}.jpg" for index in range(storyboard.thumbnails)]
    if storyboard.include_captions and cues:
        names += ["captions.srt", "captions.vtt"]
    if chapters.chapters_json(storyboard) is not None:
        names.append("chapters.json")
    return [*names, "manifest.json"]


def _asset_warnings(request: Mapping[str, Any]) -> list[str]:
    warnings = [
        f"asset {asset['id']}: remote assets are not fetched; a render would refuse it"
        for asset in request["assets"]
        if "uri" in asset
    ]
    if request["audio"].get("narration"):
        warnings.append("narrations are not measured in a dry run; their steps may last longer")
    return warnings
