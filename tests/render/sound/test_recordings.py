from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.errors import AssetFailed
from app.render.sound.recordings import music_seconds, narration_seconds
from tests.render.films import make_payload, write_wav


def with_music(**music: Any) -> dict[str, Any]:
    return make_payload(audio={"music": {"assetId": "m"} | music})


def test_music_is_measured(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "m.wav", seconds=2)
    assert music_seconds(with_music(startSec=1.4), {"m": path}) == pytest.approx(2)
    assert music_seconds(make_payload(), {}) == 0


def test_music_of_which_nothing_is_left_after_its_start_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "m.wav", seconds=2)
    with pytest.raises(AssetFailed, match=r"lasts 2\.0 s") as caught:
        music_seconds(with_music(startSec=1.6), {"m": path})
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == (
        "/previewRequest/audio/music/startSec",
        "music-too-short",
    )


def test_music_that_cannot_be_played_is_pointed_at(tmp_path: Path) -> None:
    path = tmp_path / "m.wav"
    path.write_bytes(b"no sound")
    with pytest.raises(AssetFailed) as caught:
        music_seconds(with_music(), {"m": path})
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
    assert narration_seconds(payload, files) == {"en": pytest.approx(1.5)}
    payload["previewRequest"]["options"]["language"] = "de"
    with pytest.raises(AssetFailed) as caught:
        narration_seconds(payload, files)
    assert caught.value.errors[0].pointer == "/previewRequest/audio/narration/0/assetId"
