"""The storyboard: what is shown and heard, when, and nothing of how.

Frozen values only. Times inside a step are frames counted from the step's
first frame; a step's ``start`` counts from the first frame of the film. Boxes
are fractions of the frame, colours are 8-bit sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Colour = tuple[int, int, int]
Position = Literal[
    "auto", "top", "upper", "center", "bottom",
    "panel-heading", "panel-body", "reference-bottom", "brand-title", "brand-subtitle",
]  # fmt: skip
Fit = Literal["contain", "cover"]
BackgroundStyle = Literal["blur-fill", "cover", "contain"]
Quality = Literal["draft", "standard", "high"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions (0–1) of the frame, from its top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Span:
    """Frames ``start`` (included) to ``end`` (excluded) of a step."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image asset that a job may read; ``path`` is already resolved and checked."""

    asset_id: str
    path: Path


@dataclass(frozen=True, slots=True)
class Background:
    """What fills the frame behind everything."""

    colour: Colour
    picture: Picture | None = None
    style: BackgroundStyle = "cover"


@dataclass(frozen=True, slots=True)
class TextLayer:
    """One text. ``box`` wins over ``position``; ``colour`` None means the role's own."""

    role: str
    text: str
    position: Position
    span: Span
    box: Box | None = None
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class PictureLayer:
    """One picture in a box; higher ``layer`` lies above lower."""

    picture: Picture
    box: Box | None
    fit: Fit
    layer: int
    span: Span


@dataclass(frozen=True, slots=True)
class Narration:
    """A spoken take. It begins ``offset_seconds`` after its step begins."""

    asset_id: str
    path: Path
    offset_seconds: float
    gain_db: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """One scene. ``spoken`` is the text that the captions carry."""

    id: str
    start: int
    frames: int
    background: Background
    texts: tuple[TextLayer, ...]
    pictures: tuple[PictureLayer, ...]
    accent: Colour
    spoken: str
    narration: Narration | None
    chapter_title: str
    duration_source: Literal["given", "narration", "estimate"]

    @property
    def end(self) -> int:
        """First frame after the step."""
        return self.start + self.frames


@dataclass(frozen=True, slots=True)
class Storyboard:
    """A whole film. ``poster_at`` and all step times are frames."""

    title: str
    width: int
    height: int
    fps: int
    quality: Quality
    language: str
    steps: tuple[Step, ...]
    include_captions: bool
    thumbnails: int
    poster_at: int | None
    warnings: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Frames of the whole film."""
        return self.steps[-1].end if self.steps else 0

    @property
    def seconds(self) -> float:
        """Length of the whole film."""
        return self.frames / self.fps
