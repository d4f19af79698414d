"""Chapters: the film's sections, for players that show them."""

from __future__ import annotations

import json
from typing import Final

from app.render.model.storyboard import Storyboard

#: Players ignore a list of fewer, and a chapter that is shorter (YouTube's rules).
MIN_CHAPTERS: Final = 3
MIN_CHAPTER_SECONDS: Final = 10.0
#: Version of the format that is written.
_FORMAT_VERSION: Final = "1.2.0"


def chapters_json(storyboard: Storyboard) -> bytes | None:
    """Return the chapters as JSON, or None where the film has no proper ones.

    The format is the Podcasting 2.0 namespace's "JSON chapters"
    (https://github.com/Podcastindex-org/podcast-namespace). There are chapters
    only if the first begins with the film, there are at least three, and none is
    shorter than ten seconds.
    """
    titled = [step for step in storyboard.steps if step.chapter_title]
    ends = [step.start for step in titled[1:]] + [storyboard.frames]
    if len(titled) < MIN_CHAPTERS or titled[0].start:
        return None
    least = MIN_CHAPTER_SECONDS * storyboard.fps
    if any(end - step.start < least for step, end in zip(titled, ends, strict=True)):
        return None
    chapters = [
        {
            "startTime": round(step.start / storyboard.fps, 3),
            "endTime": round(end / storyboard.fps, 3),
            "title": " ".join(step.chapter_title.splitlines()),
        }
        for step, end in zip(titled, ends, strict=True)
    ]
    document = {"version": _FORMAT_VERSION, "chapters": chapters}
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
