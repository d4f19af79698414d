"""Requests and storyboards, parsed from only the parts of a payload that a test needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.render.model.parsing import parse
from app.render.model.request import Request, StepRequest
from app.render.model.storyboard import Storyboard
from app.render.story.timeline import build_storyboard


def request_of(payload: Mapping[str, Any], files: Mapping[str, Path] | None = None) -> Request:
    """Parse a payload. Assets that it uses but does not list are pictures and recordings.

    Args:
        payload: The payload. It may lack what the test does not need.
        files: Files by asset id. Other assets get a path that does not exist.
    """
    given = {"steps": [], "assets": [], "audio": {}, **payload["previewRequest"]}
    listed = {asset["id"]: Path(asset["id"]) for asset in given["assets"]}
    tracks = given["audio"].get("narration", ())
    used = {track["assetId"]: Path(track["assetId"]) for track in tracks} | dict(files or {})
    more = [{"id": name, "type": "image"} for name in used if name not in listed]
    request = {**given, "assets": [*given["assets"], *more]}
    names = {"jobId": "job-1", "projectId": "project-1", "dryRun": False}
    return parse({**names, **payload, "previewRequest": request}, {**listed, **used})


def step_of(files: Mapping[str, Path] | None = None, /, **step: Any) -> StepRequest:
    """Parse one step."""
    return request_of({"previewRequest": {"steps": [step]}}, files).steps[0]


def storyboard_of(
    payload: Mapping[str, Any],
    files: Mapping[str, Path] | None = None,
    *,
    seconds: Mapping[str, float] | None = None,
) -> Storyboard:
    """Return the storyboard of a payload. ``seconds`` are the durations of its narrations."""
    return build_storyboard(request_of(payload, files), narration_seconds=seconds or {})
