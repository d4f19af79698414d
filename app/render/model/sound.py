"""How a film sounds: its sample rate, and what a job asks of music and loudness."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

#: Samples a second of all sound in the renderer.
SAMPLE_RATE: Final = 48_000

DuckingMode = Literal["none", "envelope", "sidechain"]


@dataclass(frozen=True, slots=True)
class Music:
    """Music under the whole film.

    Attributes:
        asset_id: Named in errors.
        path: The file.
        relative_db: Loudness against the voice where nobody speaks.
        loop: Whether it begins again when it ends, at ``start_seconds``.
        fade_in_seconds: Fade at the start of the film.
        fade_out_seconds: Fade at the end of the film, or of the music if that is earlier.
        start_seconds: Where in the recording it begins.
    """

    asset_id: str
    path: Path
    relative_db: float = -12.0
    loop: bool = True
    fade_in_seconds: float = 1.0
    fade_out_seconds: float = 1.0
    start_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ducking:
    """How music gives way to the voice: while a narration plays, or while somebody speaks.

    ``envelope`` goes down for each narration as a whole, ``sidechain`` comes up in the longer
    pauses within one too, ``none`` keeps the music at one level.
    """

    mode: DuckingMode = "envelope"
    dip_db: float = -10.0
    attack_seconds: float = 0.15
    release_seconds: float = 0.35


@dataclass(frozen=True, slots=True)
class LoudnessTarget:
    """Integrated loudness in LUFS and highest true peak in dBTP of the finished film."""

    lufs: float = -14.0
    peak_dbtp: float = -1.0


@dataclass(frozen=True, slots=True)
class SoundOptions:
    """How a film sounds, but for its narrations and its voice."""

    music: Music | None = None
    ducking: Ducking = Ducking()
    target: LoudnessTarget = LoudnessTarget()


#: Of a job that asks for nothing else.
DEFAULT_SOUND: Final = SoundOptions()
