"""Payloads of all kinds, drawn at random."""

from __future__ import annotations

import random
from typing import Any

from tests.support.payloads import payload, second_payload


def random_payload(rng: random.Random, job_id: str) -> dict[str, Any]:
    """Return a valid payload: a dry run, a small render, one of a second, or one that must fail."""
    [make] = rng.choices([_dry, payload, second_payload, _without_its_asset], [45, 38, 5, 12])
    return {
        **make(job_id),
        "projectId": f"project-{rng.randint(1, 3)}",
        "priority": rng.choice(["high", "normal", "low"]),
    }


def _dry(job_id: str) -> dict[str, Any]:
    """Return what costs the pipeline alone."""
    request = {**payload()["previewRequest"], "steps": []}
    return payload(job_id, dryRun=True, previewRequest=request)


def _without_its_asset(job_id: str) -> dict[str, Any]:
    """Return a render that fails for good."""
    request = {
        **payload()["previewRequest"],
        "steps": [{"id": "one", "durationSec": 1, "visuals": [{"assetId": "pic"}]}],
        "assets": [{"id": "pic", "type": "image", "path": "absent.png"}],
    }
    return payload(job_id, previewRequest=request)
