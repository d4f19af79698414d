"""Drafts: texts before they have a time in frames."""

from __future__ import annotations

from dataclasses import dataclass

from app.render.model.storyboard import Box, Position
from app.render.model.themes import Colour


@dataclass(frozen=True, slots=True)
class DraftText:
    """A text with times in seconds of its step; ``end`` None is the step's end."""

    role: str
    text: str
    position: Position
    start: float = 0.0
    end: float | None = None
    box: Box | None = None
    colour: Colour | None = None
    spoken: bool = True
    marker: str = ""
