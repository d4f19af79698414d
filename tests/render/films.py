"""Small real files, storyboards and payloads for tests of the renderer."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.render.model.storyboard import Background, Narration, Step, Storyboard


def write_wav(
    path: Path,
    *,
    seconds: float = 1.0,
    rate: int = 48_000,
    channels: int = 1,
    amplitude: float = 0.25,
    hertz: float = 440.0,
) -> Path:
    """Write a tone as 16-bit WAV. It starts at its peak."""
    time = np.arange(round(seconds * rate)) / rate
    tone = np.round(32767 * amplitude * np.cos(2 * np.pi * hertz * time)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(tone, channels).tobytes())
    return path


def write_png(path: Path, *, size: tuple[int, int] = (64, 48), colour: str = "#c02040") -> Path:
    """Write a picture of one colour."""
    Image.new("RGB", size, colour).save(path)
    return path


def make_step(
    spoken: str = "",
    *,
    frames: int = 30,
    narration: Narration | None = None,
    chapter_title: str = "",
) -> Step:
    """Make a step without pictures. ``make_film`` sets its id and start."""
    return Step(
        id="",
        start=0,
        frames=frames,
        background=Background((20, 30, 60)),
        texts=(),
        pictures=(),
        accent=(90, 160, 250),
        spoken=spoken,
        narration=narration,
        chapter_title=chapter_title,
        duration_source="given",
    )


def make_film(*steps: Step, **changes: Any) -> Storyboard:
    """Make a film of consecutive steps with the ids step-1, step-2 and so on."""
    placed: list[Step] = []
    for number, step in enumerate(steps, start=1):
        start = placed[-1].end if placed else 0
        placed.append(replace(step, id=f"step-{number}", start=start))
    film = Storyboard(
        title="A film",
        width=320,
        height=180,
        fps=30,
        quality="draft",
        language="en",
        steps=tuple(placed),
        include_captions=True,
        thumbnails=0,
        poster_at=None,
    )
    return replace(film, **changes)


def make_payload(*steps: dict[str, Any], **request: Any) -> dict[str, Any]:
    """Make a job of 320x180. ``request`` overrides parts of its previewRequest."""
    return {
        "jobId": "job-1",
        "projectId": "project-1",
        "requestId": "request-1",
        "dryRun": False,
        "priority": "normal",
        "previewRequest": {
            "title": "A film",
            "steps": list(steps),
            "assets": [],
            "audio": {},
            "options": {"resolution": "320x180", "quality": "draft"},
            "metadata": {},
        }
        | request,
    }
