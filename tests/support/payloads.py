"""Small valid payloads."""

from __future__ import annotations

from typing import Any


def payload(job_id: str = "job-1", **changes: Any) -> dict[str, Any]:
    """Return a small valid live job; ``changes`` replace top-level members."""
    return {
        "jobId": job_id,
        "projectId": "project-1",
        "requestId": "request-1",
        "previewRequest": {
            "title": "A small game",
            "steps": [{"id": "one", "text": "Place the board.", "durationSec": 1}],
            "assets": [],
            "audio": {},
            "options": {"resolution": "160x90", "fps": 24},
        },
        "dryRun": False,
        **changes,
    }


def second_payload(job_id: str = "job-1") -> dict[str, Any]:
    """Return a valid live job whose render takes a second or more: it moves all the time."""
    slide = {"type": "slide", "endSec": 12}
    steps = [{"id": "one", "text": "Place the board.", "durationSec": 12, "motion": slide}]
    options = {"resolution": "640x360", "fps": 30}
    request = {"title": "Medium", "steps": steps, "assets": [], "audio": {}, "options": options}
    return payload(job_id, previewRequest=request)


def long_payload(job_id: str = "job-1") -> dict[str, Any]:
    """Return a valid live job whose render takes many seconds: each step moves as it comes."""
    slide = {"type": "slide", "endSec": 0.6}
    steps = [
        {"id": f"s{n}", "text": f"Step {n} of a long game.", "durationSec": 20, "motion": slide}
        for n in range(8)
    ]
    options = {"resolution": "1920x1080", "fps": 60, "quality": "high"}
    request = {"title": "Long", "steps": steps, "assets": [], "audio": {}, "options": options}
    return payload(job_id, previewRequest=request)
