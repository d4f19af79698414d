"""The storyboard: what is shown and heard, when, and nothing of how.

Frozen values only. Times inside a step are frames counted from the step's
first frame; a step's ``start`` counts from the first frame of the film. Boxes
are fractions of the frame, colours are 8-bit sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.render.model.themes import NIGHT, Colour, Theme

Position = Literal[
    "auto", "top", "upper", "center", "bottom",
    "panel-heading", "panel-body", "reference-bottom", "brand-title", "brand-subtitle", "captions",
]  # fmt: skip
Fit = Literal["contain", "cover"]
BackgroundStyle = Literal["blur-fill", "cover", "contain"]
Quality = Literal["draft", "standard", "high"]
Container = Literal["mp4", "webm"]
LayoutMode = Literal[
    "auto", "text-only", "full-bleed", "image-left", "image-right", "image-top",
    "center-focus", "split-teaching", "brand",
]  # fmt: skip
Side = Literal["left", "right"]
Easing = Literal["linear", "easeInQuad", "easeOutQuad", "easeInOutSine", "easeInOutCubic"]
MotionKind = Literal["fade", "slide", "zoom", "pan", "pulse", "highlight"]
TransitionKind = Literal["crossfade", "fade", "slide-left", "slide-right"]
CalloutKind = Literal["box", "arrow", "pill"]


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
class Motion:
    """One movement, its amounts already limited.

    Until its span begins it stands at ``before``, from its end on at ``after``: an amount and
    a way in x and y:

    - fade: an opacity (0–1);
    - slide: a way in fractions of the frame; where the amount is 1, a place for the middle;
    - zoom: a factor, and a way in fractions of the picture's window;
    - pan: the same; the factor leaves room for the way;
    - pulse: a factor, taken ``turns`` times and given back;
    - highlight: nothing.

    A zoom keeps ``anchor`` (of the frame) still, or brings it to the middle: ``centring``.
    """

    kind: MotionKind
    span: Span
    easing: Easing
    before: tuple[float, float, float] = (1.0, 0.0, 0.0)
    after: tuple[float, float, float] = (1.0, 0.0, 0.0)
    turns: int = 0
    anchor: tuple[float, float] | None = None
    centring: bool = False


@dataclass(frozen=True, slots=True)
class Callout:
    """A pointer at ``target``, a place in the frame; ``motion`` fades it in."""

    kind: CalloutKind
    label: str
    target: Box
    motion: Motion


@dataclass(frozen=True, slots=True)
class Transition:
    """How a step begins, in its first ``frames`` frames; one that just begins has none."""

    kind: TransitionKind
    frames: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image asset that a job may read; ``path`` is already resolved and checked."""

    asset_id: str
    path: Path


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How texts and pictures share the frame.

    ``side`` is that of the pictures, ``panel_ratio`` the width of the text panel as a share
    of the frame's; None leaves both to the mode. ``captions`` keeps the foot of the frame clear
    for captions that are drawn into it.
    """

    mode: LayoutMode = "auto"
    side: Side | None = None
    panel_ratio: float | None = None
    captions: bool = False


#: Where nothing else is asked for.
AUTO = Arrangement()


@dataclass(frozen=True, slots=True)
class Background:
    """What fills the frame behind everything. A crop keeps ``focus`` (of the picture) in view.

    ``themed`` draws the theme's own ground, of which ``colour`` is the main one.
    """

    colour: Colour
    picture: Picture | None = None
    style: BackgroundStyle = "cover"
    focus: Box | None = None
    themed: bool = False


@dataclass(frozen=True, slots=True)
class TextLayer:
    """One text. ``box`` wins over ``position``; ``colour`` None means the role's own.

    ``marker`` stands before an item of a list: "•", or its number.
    """

    role: str
    text: str
    position: Position
    span: Span
    box: Box | None = None
    colour: Colour | None = None
    marker: str = ""


@dataclass(frozen=True, slots=True)
class PictureLayer:
    """One picture in a box; higher ``layer`` lies above lower.

    Without a box the arrangement places it. A crop keeps ``focus`` (of the picture) in view.
    """

    picture: Picture
    box: Box | None
    fit: Fit
    layer: int
    span: Span
    focus: Box | None = None
    motions: tuple[Motion, ...] = ()


@dataclass(frozen=True, slots=True)
class Narration:
    """A spoken take. It begins ``offset_seconds`` after its step begins."""

    asset_id: str
    path: Path
    offset_seconds: float
    gain_db: float
    seconds: float


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """One scene. ``spoken`` is what the captions carry, ``motions`` are those of the whole step."""

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
    arrangement: Arrangement = AUTO
    motions: tuple[Motion, ...] = ()
    transition: Transition | None = None
    callouts: tuple[Callout, ...] = ()

    def __repr__(self) -> str:
        return f"<Step {self.id!r}: frames {self.start} to {self.end}>"

    @property
    def end(self) -> int:
        """First frame after the step."""
        return self.start + self.frames


@dataclass(frozen=True, slots=True, repr=False)
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
    theme: Theme = NIGHT
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        size = f"{self.width}x{self.height} at {self.fps} fps"
        return f"<Storyboard {self.title!r}: {len(self.steps)} steps, {self.seconds:g} s, {size}>"

    @property
    def frames(self) -> int:
        """Frames of the whole film."""
        return self.steps[-1].end if self.steps else 0

    @property
    def seconds(self) -> float:
        """Length of the whole film."""
        return self.frames / self.fps
