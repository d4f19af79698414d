from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from app.errors import ValidationFailed
from app.render.captions.cues import build_cues
from app.render.plan import plan
from tests.render.requests import storyboard_of


def job(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    request = {"title": "How to", "steps": list(steps), "assets": [], "audio": {}, **more}
    return {"jobId": "j", "projectId": "p", "previewRequest": request, "dryRun": True}


def test_a_plan_of_no_steps_is_empty() -> None:
    assert plan(job()) == {
        "title": "How to",
        "resolution": "1280x720",
        "fps": 30,
        "format": "mp4",
        "durationSec": 0.0,
        "frames": 0,
        "steps": [],
        "files": [],
        "assets": [],
        "missingAssets": [],
        "estimatedCost": {"cpuSec": 0.0, "framesDrawn": 0, "framesHeld": 0},
        "warnings": [],
    }


def test_a_plan_tells_what_a_render_would_show_and_when() -> None:
    payload = job(
        {"id": "a", "durationSec": 3, "title": "Setup", "body": "Place the board."},
        {"id": "b", "durationSec": 2.48, "text": "Play."},
        options={"resolution": "1920x1080", "fps": 25, "format": "webm", "thumbnails": 2},
    )
    found = plan(payload)
    assert (found["resolution"], found["fps"], found["format"]) == ("1920x1080", 25, "webm")
    assert (found["durationSec"], found["frames"]) == (5.48, 137)
    first, second = found["steps"]
    assert (first["id"], first["startSec"], first["durationSec"]) == ("a", 0, 3)
    assert (second["startSec"], second["frames"], second["durationSource"]) == (3, 62, "given")
    heading, body = first["texts"]
    assert (heading["role"], heading["lines"]) == ("heading", ["Setup"])
    assert heading["box"]["y"] + heading["box"]["height"] <= body["box"]["y"]
    assert all(0.08 <= text["box"]["x"] <= 0.92 for text in first["texts"])


def test_a_plan_has_the_captions_of_the_render() -> None:
    payload = job({"id": "a", "text": "One two three."}, {"id": "b", "text": "Four five six."})
    cues = build_cues(storyboard_of(payload))
    planned = [cue for step in plan(payload)["steps"] for cue in step["cues"]]
    assert [tuple(cue["lines"]) for cue in planned] == [cue.lines for cue in cues]
    assert [cue["index"] for cue in planned] == [1, 2]


def test_a_plan_names_the_files() -> None:
    step = {"text": "Hello", "durationSec": 12}
    options = {"thumbnails": 1, "includeCaptions": False}
    assert plan(job(step, options=options))["files"] == [
        "preview.mp4",
        "poster.jpg",
        "contact-sheet.jpg",
        "thumbnails/01.jpg",
        "manifest.json",
    ]
    chapters = [{"title": f"Part {n}", "text": "Words.", "durationSec": 12} for n in range(3)]
    files = plan(job(*chapters))["files"]
    assert {"captions.srt", "captions.vtt", "chapters.json"} < set(files)


def test_assets_are_listed_and_need_not_exist() -> None:
    assets = [
        {"id": "pic", "type": "image", "path": "none.png", "alt": "x"},
        {"id": "far", "type": "image", "uri": "https://u:secret@example.org/x.png?sig=secret"},
        {"id": "voice", "type": "audio", "path": "none.wav"},
    ]
    narration = {"narration": [{"stepId": "a", "assetId": "voice"}]}
    step = {"id": "a", "text": "Hello", "visuals": [{"assetId": "pic"}]}
    found = plan(job(step, assets=assets, audio=narration))
    assert found["assets"] == [
        {"id": "pic", "type": "image", "path": "none.png"},
        {"id": "far", "type": "image", "uri": "https://example.org/x.png"},
        {"id": "voice", "type": "audio", "path": "none.wav"},
    ]
    assert found["steps"][0]["durationSource"] == "estimate"
    assert any("not measured" in warning for warning in found["warnings"])
    assert "secret" not in str(found)


def test_a_plan_carries_the_storyboards_warnings() -> None:
    assert any("U+5B57" in warning for warning in plan(job({"text": "字"}))["warnings"])


def test_a_plan_is_json() -> None:
    found = plan(job({"text": "Hello"}, {"title": "T", "body": "x" * 1900, "durationSec": 1}))
    assert json.loads(json.dumps(found)) == found


def test_a_film_that_is_too_long_has_no_plan() -> None:
    with pytest.raises(ValidationFailed):
        plan(job({"durationSec": 9}, options={"maxDurationSec": 5}))


def test_a_scheduler_that_plans_loads_no_decoder() -> None:
    heavy = "{'av', 'cv2', 'app.render.picture.decoding'}"
    code = f"import sys, app.render.plan; print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
