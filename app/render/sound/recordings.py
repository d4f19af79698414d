"""The recordings that a job brings, measured; errors point at where the payload names them."""

from __future__ import annotations

from pathlib import Path

from app.errors import AssetFailed, ErrorItem
from app.render.model.request import AUDIO_POINTER, Request
from app.render.model.sound import Music
from app.render.sound.decoding import probe_seconds
from app.render.sound.stems import MIN_MUSIC_SECONDS
from app.render.story.narrations import heard_narrations


def narration_seconds(request: Request) -> dict[str, float]:
    """Return the length of every narration that is heard by its asset's id.

    Raises:
        AssetFailed: One cannot be played, is truncated or too long.
    """
    heard = heard_narrations(request)[0].values()
    seconds: dict[str, float] = {}
    for track in request.narrations:
        asset = track.asset
        if asset.id not in seconds and track in heard:
            seconds[asset.id] = _probed(asset.file, asset.id, f"{track.pointer}/assetId")
    return seconds


def music_seconds(music: Music | None) -> float:
    """Return the length of the music in seconds, 0 without music.

    Raises:
        AssetFailed: It cannot be played, or nothing of it is left after ``startSec``.
    """
    if music is None:
        return 0.0
    start = music.start_seconds
    seconds = _probed(music.path, music.asset_id, f"{AUDIO_POINTER}/music/assetId")
    if seconds - start < MIN_MUSIC_SECONDS:
        detail = (
            f"asset {music.asset_id!r}: the music lasts {seconds:.1f} s; at least"
            f" {MIN_MUSIC_SECONDS:g} s are needed after its start at {start:g} s"
        )
        raise _failed(f"{AUDIO_POINTER}/music/startSec", "music-too-short", detail)
    return seconds


def _probed(path: Path, asset_id: str, pointer: str) -> float:
    try:
        return probe_seconds(path, asset_id=asset_id)
    except AssetFailed as error:
        raise _failed(pointer, "asset-not-playable", error.detail) from error


def _failed(pointer: str, code: str, detail: str) -> AssetFailed:
    return AssetFailed(detail, errors=[ErrorItem(pointer, code, detail)])
