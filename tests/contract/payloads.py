"""Payloads for the tests of the contract, and a way to bend them."""

from __future__ import annotations

import copy
from typing import Any, Final

#: As a value of an edit: take the member out.
ABSENT: Final = object()


def minimal() -> dict[str, Any]:
    return {
        "jobId": "job-1",
        "projectId": "project",
        "requestId": "request-1",
        "previewRequest": {"steps": [], "assets": [], "audio": {}},
        "dryRun": True,
    }


def full() -> dict[str, Any]:
    """A live job that uses every field, rendered by this version or not."""
    box = {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.4}
    motion = {
        "type": "hold",
        "startSec": 0,
        "endSec": 2.5,
        "easing": "easeInOutSine",
        "from": 1,
        "to": {"x": 0.5, "y": 0.5},
        "direction": "left",
        "distance": 0.1,
        "anchor": {"x": 0.5, "y": 0.5},
        "periodSec": 0.5,
        "repeatCount": 2,
    }
    step = {
        "id": "setup",
        "type": "setup",
        "title": "Setup",
        "body": "Place the board in the middle of the table.",
        "narration": "Place the board in the middle of the table.",
        "durationSec": 6.333333333333333,
        "background": {"color": "#0f172a", "assetId": "board", "style": "cover"},
        "layout": {"mode": "auto"},
        "visuals": [
            {
                "id": "picture",
                "assetId": "board",
                "placement": {**box},
                "layer": 1,
                "fit": "contain",
                "motions": [motion],
            }
        ],
        "overlays": [
            {
                "id": "badge",
                "role": "badge",
                "text": "STEP 1",
                "position": "top",
                "placement": {**box},
                "startSec": 0,
                "endSec": 6.333333333333333,
                "color": "white",
            }
        ],
        "callouts": [],
        "motion": {"type": "hold"},
        "transition": {"in": "cut", "durationSec": 0},
        "chapterTitle": "Setup",
        "accentColor": "#38bdf8",
        "sourcePages": [1, 2],
    }
    return {
        "jobId": "job-1",
        "projectId": "project",
        "requestId": "request-1",
        "previewRequest": {
            "title": "How to play",
            "description": "A tutorial",
            "chapterId": "chapter-1",
            "steps": [step, {"id": "turn", "text": "Take one card.", "durationSec": 4}],
            "assets": [
                {
                    "id": "board",
                    "type": "image",
                    "path": "pictures/board.png",
                    "sha256": "0" * 64,
                    "mimeType": "image/png",
                    "bytes": 1000,
                    "role": "board",
                    "alt": "The board from above",
                    "license": "CC0-1.0",
                    "language": "en",
                },
                {"id": "voice", "type": "audio", "path": "sound/setup.ogg", "role": "narration"},
            ],
            "audio": {
                "narration": [
                    {
                        "stepId": "setup",
                        "assetId": "voice",
                        "offsetSec": 0.5,
                        "gainDb": -3,
                        "language": "en",
                        "textSha256": "0" * 16,
                    }
                ],
                "voice": {"provider": "none"},
            },
            "options": {
                "resolution": "1280x720",
                "format": "mp4",
                "fps": 30,
                "quality": "standard",
                "includeCaptions": True,
                "burnInCaptions": False,
                "language": "en",
                "captionLanguages": ["en"],
                "maxDurationSec": 60,
                "thumbnails": 4,
                "posterAtSec": 1.5,
            },
            "metadata": {"author": "automation", "tags": ["preview"]},
        },
        "dryRun": False,
        "priority": "high",
        "attempts": 0,
        "createdAt": "2025-10-08T12:05:00.000Z",
        "updatedAt": "2025-10-08T14:05:00+02:00",
    }


def edited(payload: dict[str, Any], at: str, value: object) -> dict[str, Any]:
    """Return a copy with ``value`` at the pointer ``at``; "-" appends, ABSENT removes."""
    copied: Any = copy.deepcopy({"": payload})
    node, key = copied, ""
    for part in at.split("/")[1:]:
        node = node[int(key) if isinstance(node, list) else key]
        key = part.replace("~1", "/").replace("~0", "~")
    if isinstance(node, list):
        if key == "-":
            node.append(value)
        else:
            node[int(key)] = value
    elif value is ABSENT:
        del node[key]
    else:
        node[key] = value
    result: dict[str, Any] = copied[""]
    return result
