"""The recordings that a payload names, measured; errors point at where it names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import AssetFailed, ErrorItem
from app.render.sound.decoding import probe_seconds
from app.render.sound.stems import MIN_MUSIC_SECONDS
from app.render.story.narrations import heard_narrations

_AUDIO = "/previewRequest/audio"


def narration_seconds(payload: Mapping[str, Any], assets: Mapping[str, Path]) -> dict[str, float]:
    """Return the length of every narration that is heard by its asset's id.

    Raises:
        AssetFailed: One cannot be played, is truncated or too long.
    """
    request = payload["previewRequest"]
    heard = heard_narrations(request)[0].values()
    seconds: dict[str, float] = {}
    for index, entry in enumerate(request["audio"].get("narration", ())):
        asset_id = entry["assetId"]
        if asset_id not in seconds and any(entry is other for other in heard):
            pointer = f"{_AUDIO}/narration/{index}/assetId"
            seconds[asset_id] = _probed(assets[asset_id], asset_id, pointer)
    return seconds


def music_seconds(payload: Mapping[str, Any], assets: Mapping[str, Path]) -> float:
    """Return the length of the music's recording, 0 where there is no music.

    Raises:
        AssetFailed: It cannot be played, or nothing of it is left after ``startSec``.
    """
    music = payload["previewRequest"]["audio"].get("music")
    if music is None:
        return 0.0
    asset_id, start = music["assetId"], music.get("startSec", 0.0)
    seconds = _probed(assets[asset_id], asset_id, f"{_AUDIO}/music/assetId")
    if seconds - start < MIN_MUSIC_SECONDS:
        detail = (
            f"asset {asset_id!r}: the music lasts {seconds:.1f} s; at least"
            f" {MIN_MUSIC_SECONDS:g} s are needed after its start at {start:g} s"
        )
        raise _failed(f"{_AUDIO}/music/startSec", "music-too-short", detail)
    return seconds


def _probed(path: Path, asset_id: str, pointer: str) -> float:
    try:
        return probe_seconds(path, asset_id=asset_id)
    except AssetFailed as error:
        raise _failed(pointer, "asset-not-playable", error.detail) from error


def _failed(pointer: str, code: str, detail: str) -> AssetFailed:
    return AssetFailed(detail, errors=[ErrorItem(pointer, code, detail)])
