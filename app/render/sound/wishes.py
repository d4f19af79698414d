"""What a payload wishes for its sound. Pure: no file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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
class SoundWishes:
    """All of ``audio`` but the narrations and the voice."""

    music: Music | None = None
    ducking: Ducking = Ducking()
    target: LoudnessTarget = LoudnessTarget()


def read_wishes(request: Mapping[str, Any], assets: Mapping[str, Path]) -> SoundWishes:
    """Return the wishes of ``previewRequest``.

    Args:
        request: A ``previewRequest`` that fulfils the contract.
        assets: Asset id to file.
    """
    audio = request["audio"]
    ducking = _given(
        audio.get("ducking", {}),
        mode="mode",
        dipDb="dip_db",
        attackSec="attack_seconds",
        releaseSec="release_seconds",
    )
    target = _given(audio.get("loudness", {}), targetLufs="lufs", truePeakDbtp="peak_dbtp")
    return SoundWishes(_music(audio, assets), Ducking(**ducking), LoudnessTarget(**target))


def _music(audio: Mapping[str, Any], assets: Mapping[str, Path]) -> Music | None:
    given = audio.get("music")
    if given is None:
        return None
    options = _given(
        given,
        relativeDb="relative_db",
        loop="loop",
        fadeInSec="fade_in_seconds",
        fadeOutSec="fade_out_seconds",
        startSec="start_seconds",
    )
    return Music(given["assetId"], assets[given["assetId"]], **options)


def _given(source: Mapping[str, Any], **names: str) -> dict[str, Any]:
    return {ours: source[theirs] for theirs, ours in names.items() if theirs in source}
