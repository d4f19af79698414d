from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.errors import AssetFailed
from app.render.model.sound import Music
from app.render.sound.recordings import music_seconds, narration_seconds
from tests.render.films import make_payload, write_wav
from tests.render.requests import request_of


def music_at(path: Path, **music: Any) -> Music | None:
    payload = make_payload(audio={"music": {"assetId": "m"} | music})
    return request_of(payload, {"m": path}).sound.music


def test_music_is_measured(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "m.wav", seconds=2)
    assert music_seconds(music_at(path, startSec=1.4)) == pytest.approx(2)
    assert music_seconds(None) == 0


def test_music_of_which_nothing_is_left_after_its_start_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "m.wav", seconds=2)
    with pytest.raises(AssetFailed, match=r"lasts 2\.0 s") as caught:
        music_seconds(music_at(path, startSec=1.6))
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == (
        "/previewRequest/audio/music/startSec",
        "music-too-short",
    )


def test_music_that_cannot_be_played_is_pointed_at(tmp_path: Path) -> None:
    path = tmp_path / "m.wav"
    path.write_bytes(b"no sound")
    with pytest.raises(AssetFailed) as caught:
        music_seconds(music_at(path))
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == (
        "/previewRequest/audio/music/assetId",
        "asset-not-playable",
    )


def test_narrations_that_are_heard_are_measured_and_no_others(tmp_path: Path) -> None:
    broken = tmp_path / "x.wav"
    broken.write_bytes(b"no sound")
    files = {"en": write_wav(tmp_path / "en.wav", seconds=1.5), "de": broken}
    tracks = [
        {"stepId": "a", "assetId": "de", "language": "de"},
        {"stepId": "a", "assetId": "en", "language": "en"},
        {"stepId": "b", "assetId": "en"},
    ]
    payload = make_payload(audio={"narration": tracks})
    assert narration_seconds(request_of(payload, files)) == {"en": pytest.approx(1.5)}
    payload["previewRequest"]["options"]["language"] = "de"
    with pytest.raises(AssetFailed) as caught:
        narration_seconds(request_of(payload, files))
    assert caught.value.errors[0].pointer == "/previewRequest/audio/narration/0/assetId"
