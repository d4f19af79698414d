"""A tutorial in which pictures move all the time: what no hold can make cheap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

#: Steps, and seconds of each.
STEPS, SECONDS = 8, 5.0
#: Size of the pictures: a zoom never shows more pixels than they have.
SIZE = (2240, 1260)
#: What moves, in turn: each over the whole of its step.
MOTIONS: tuple[dict[str, Any], ...] = (
    {"type": "zoom", "from": 1.0, "to": 1.08, "easing": "linear"},
    {"type": "pan", "direction": "left", "distance": 0.05, "easing": "linear"},
    {"type": "zoom", "from": 1.08, "to": 1.0, "easing": "easeInOutSine"},
    {"type": "pan", "direction": "up", "distance": 0.05, "easing": "linear"},
)


def moving_tutorial(directory: Path, *, resolution: str) -> dict[str, Any]:
    """Draw the pictures into ``directory`` and return the payload that shows them."""
    assets, steps = [], []
    for number in range(STEPS):
        name = f"table-{number + 1}.jpg"
        _picture(number).save(directory / name, quality=92)
        assets.append({"id": f"table-{number + 1}", "type": "image", "path": name})
        motion = {**MOTIONS[number % len(MOTIONS)], "startSec": 0, "endSec": SECONDS}
        steps.append(
            {
                "id": f"step-{number + 1}",
                "title": f"Round {number + 1}",
                "durationSec": SECONDS,
                "layout": {"mode": "full-bleed"},
                "visuals": [
                    {"assetId": f"table-{number + 1}", "fit": "cover", "motions": [motion]}
                ],
            }
        )
    request = {
        "title": "Tidewater", "steps": steps, "assets": assets, "audio": {},
        "options": {"resolution": resolution, "fps": 30},
    }  # fmt: skip
    return {"jobId": "moving", "projectId": "films", "previewRequest": request}


def _picture(number: int) -> Image.Image:
    """Return a table with tokens on grained felt: detail that an encoder has to work for."""
    noise = np.random.default_rng(number)
    width, height = SIZE
    felt = np.array([24 + 16 * (number % 3), 84, 60 + 20 * (number % 2)], np.float32)
    grain = noise.normal(0, 9, (height, width, 1)).astype(np.float32)
    image = Image.fromarray(np.clip(felt + grain, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, radius = (int(value) for value in noise.integers((0, 0, 30), (width, height, 140)))
        fill = tuple(int(value) for value in noise.integers(40, 250, 3))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill, outline="white")
    return image
