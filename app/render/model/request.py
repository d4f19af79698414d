"""The request: a checked payload as frozen values.

:mod:`app.render.model.parsing` makes it at the door of the renderer; no module behind that door
reads the payload. Times are seconds, places are fractions of the frame. Texts are stripped.
None means that the payload leaves the choice to the renderer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from app.render.model.sound import DEFAULT_SOUND, SoundOptions
from app.render.model.storyboard import (
    BackgroundStyle,
    Box,
    CalloutKind,
    Container,
    Easing,
    Fit,
    LayoutMode,
    Position,
    Quality,
    Side,
    TransitionKind,
)
from app.render.model.themes import NIGHT, Colour, Theme

AssetType = Literal["image", "audio", "font", "captions"]
Direction = Literal["left", "right", "up", "down"]
Point = tuple[float, float]
#: A colour and its opacity (0 to 1).
Paint = tuple[Colour, float]

#: JSON pointers of what errors are about.
STEPS_POINTER: Final = "/previewRequest/steps"
ASSETS_POINTER: Final = "/previewRequest/assets"
AUDIO_POINTER: Final = "/previewRequest/audio"
VOICE_POINTER: Final = "/previewRequest/audio/voice"

#: Used where the options name nothing else.
DEFAULT_LANGUAGE: Final = "en"
DEFAULT_MAX_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the job uses.

    Attributes:
        id: Its name in the payload.
        type: What it is.
        file: Where it is on this machine.
        pointer: JSON pointer of its entry in the payload.
        language: Of captions; "" where none is given.
        path: As the payload has it, "" for a remote asset.
        uri: As the payload has it, "" for a local asset.
    """

    id: str
    type: AssetType
    file: Path
    pointer: str
    language: str = ""
    path: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class MotionRequest:
    """A movement, before it has frames and limits.

    ``before`` and ``after`` are the payload's ``from`` and ``to``: an amount or a place.
    """

    type: str
    start_seconds: float = 0.0
    end_seconds: float | None = None
    easing: Easing | None = None
    before: float | Point | None = None
    after: float | Point | None = None
    direction: Direction | None = None
    distance: float | None = None
    anchor: Point | None = None
    period_seconds: float | None = None
    repeat_count: int | None = None


@dataclass(frozen=True, slots=True)
class VisualRequest:
    """A picture in a step; ``fit`` None leaves it to the layout."""

    asset: Asset
    box: Box | None = None
    layer: int = 0
    fit: Fit | None = None
    motions: tuple[MotionRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class OverlayRequest:
    """A text over a step; ``role`` None leaves it to the type of the step."""

    text: str
    role: str | None = None
    position: Position = "auto"
    box: Box | None = None
    start_seconds: float = 0.0
    end_seconds: float | None = None
    paint: Paint | None = None


@dataclass(frozen=True, slots=True)
class CalloutRequest:
    """A pointer at a part of a picture."""

    target: Box
    kind: CalloutKind = "box"
    label: str = ""
    appear_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TransitionRequest:
    """How a step begins."""

    kind: TransitionKind | Literal["cut"] = "cut"
    seconds: float | None = None


#: A step that just begins.
CUT: Final = TransitionRequest()


@dataclass(frozen=True, slots=True)
class BackgroundRequest:
    """What lies behind a step."""

    paint: Paint | None = None
    asset: Asset | None = None
    style: BackgroundStyle = "cover"


@dataclass(frozen=True, slots=True)
class LayoutRequest:
    """How texts and pictures share the frame; ``focus`` is a part of the picture."""

    mode: LayoutMode | None = None
    side: Side | None = None
    panel_ratio: float | None = None
    focus: Box | None = None


@dataclass(frozen=True, slots=True)
class StepRequest:
    """One step. ``number`` counts the numbered steps of the job; it is 0 for any other step."""

    id: str
    type: str = "step"
    number: int = 0
    title: str = ""
    body: str = ""
    narration: str = ""
    seconds: float | None = None
    background: BackgroundRequest = BackgroundRequest()
    layout: LayoutRequest = LayoutRequest()
    visuals: tuple[VisualRequest, ...] = ()
    overlays: tuple[OverlayRequest, ...] = ()
    callouts: tuple[CalloutRequest, ...] = ()
    motion: MotionRequest | None = None
    transition: TransitionRequest = CUT
    chapter_title: str = ""
    accent: Paint | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is read or heard in the step."""
        texts = (self.title, self.body, self.narration, self.chapter_title)
        overlays = (overlay.text for overlay in self.overlays)
        return (*texts, *overlays, *(callout.label for callout in self.callouts))


@dataclass(frozen=True, slots=True)
class NarrationTrack:
    """A recording of what is said in a step.

    Attributes:
        step_id: The step.
        asset: The recording.
        offset_seconds: It begins this long after its step.
        gain_db: Added to its loudness.
        language: As given, "" where it is the film's.
        pointer: JSON pointer of its entry in the payload.
    """

    step_id: str
    asset: Asset
    offset_seconds: float = 0.0
    gain_db: float = 0.0
    language: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """A voice that reads the steps that have no recording."""

    provider: str
    language: str
    voice_id: str = ""
    words_per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What the film is like. ``poster_seconds`` None leaves the poster to the renderer."""

    width: int = 1280
    height: int = 720
    fps: int = 30
    container: Container = "mp4"
    quality: Quality = "standard"
    language: str = DEFAULT_LANGUAGE
    max_seconds: float = DEFAULT_MAX_SECONDS
    thumbnails: int = 4
    poster_seconds: float | None = None
    include_captions: bool = True
    burn_in_captions: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A preview job. ``translations`` are caption files in other languages than the film's."""

    job_id: str
    project_id: str
    dry_run: bool
    title: str
    options: Options
    steps: tuple[StepRequest, ...]
    assets: tuple[Asset, ...]
    theme: Theme = NIGHT
    translations: tuple[Asset, ...] = ()
    narrations: tuple[NarrationTrack, ...] = ()
    sound: SoundOptions = DEFAULT_SOUND
    voice: VoiceRequest | None = None

    @property
    def pointers(self) -> dict[str, str]:
        """JSON pointer of each asset by its id."""
        return {asset.id: asset.pointer for asset in self.assets}

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is read or heard in the film."""
        return (self.title, *(text for step in self.steps for text in step.texts))
