"""Bad media in a job, rendered as a worker renders it: in the limited child, from the payload."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import pytest

from app.errors import AssetBlocked, AssetFailed
from app.render import Limits, RenderResult, render_in_child
from tests.render.children import never
from tests.render.films import write_wav
from tests.render.pictures import animated, plain, png, saved

#: What a render of the smallest film may use.
LIMITS = Limits(deadline_seconds=60, memory_mb=512, file_mb=64)
NOISE = random.Random(5).randbytes(60_000)


def wav_header(*, channels: int, rate: int) -> bytes:
    size = 2 * channels & 0xFFFF
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * size & 0xFFFF_FFFF, size, 16)
    head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + form
    return head + b"data" + struct.pack("<I", len(NOISE))


#: Content of the file of each asset that cannot be used.
BAD_PICTURES: dict[str, bytes] = {
    "0 bytes": b"",
    "noise": NOISE,
    "truncated PNG": saved(plain(size=(300, 200)), "PNG")[:-100],
    "truncated JPEG": saved(plain(size=(300, 200)), "JPEG")[:-100],
    "20,000 x 20,000": png(b"", size=(20_000, 20_000)),
    "1 x 49,000,000": png(b"", size=(1, 49_000_000)),
    "a sound": b"RIFF\x24\0\0\0WAVEfmt ",
    "a page": b"<!doctype html><title>Not found</title>",
    "a playlist": b"#EXTM3U\n/etc/passwd\n",
}
BAD_SOUNDS: dict[str, bytes] = {
    "0 bytes": b"",
    "noise": NOISE,
    "2 GHz": wav_header(channels=1, rate=2_000_000_000) + NOISE,
    "65,535 channels": wav_header(channels=65_535, rate=48_000) + NOISE,
    "a picture": saved(plain(), "PNG"),
    "an animation": animated("GIF"),
    "a page": b"<!doctype html><title>Not found</title>",
    "an HLS playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a DASH manifest": b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>",
}


def job(**declared: Any) -> dict[str, Any]:
    step = {"id": "one", "text": "Look.", "durationSec": 0.5, "visuals": [{"assetId": "board"}]}
    return {
        "jobId": "job-1",
        "projectId": "project",
        "previewRequest": {
            "steps": [step],
            "assets": [
                {"id": "voice", "type": "audio", "path": "voice"},
                {"id": "board", "type": "image", "path": "board", **declared},
            ],
            "audio": {"narration": [{"stepId": "one", "assetId": "voice"}]},
            "options": {"resolution": "160x90", "fps": 24, "quality": "draft", "thumbnails": 1},
        },
        "dryRun": False,
    }


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    directory = tmp_path / "assets"
    directory.mkdir()
    (directory / "board").write_bytes(saved(plain(size=(64, 48)), "PNG"))
    write_wav(directory / "voice", seconds=0.4)
    return directory


def rendered(assets: Path, payload: dict[str, Any]) -> RenderResult:
    return render_in_child(
        payload, asset_dir=assets, out_dir=assets.parent / "out", limits=LIMITS, on_tick=never
    )


def test_good_media_are_rendered(assets: Path) -> None:
    assert rendered(assets, job()).frames == 12


@pytest.mark.parametrize("kind", BAD_PICTURES)
def test_a_bad_picture_fails_the_job_and_the_error_points_to_it(assets: Path, kind: str) -> None:
    (assets / "board").write_bytes(BAD_PICTURES[kind])
    with pytest.raises(AssetFailed, match="'board'") as caught:
        rendered(assets, job())
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == ("/previewRequest/assets/1", "picture-unusable")
    assert not (assets.parent / "out").exists()


@pytest.mark.parametrize("kind", BAD_SOUNDS)
def test_a_bad_sound_fails_the_job_and_the_error_points_to_it(assets: Path, kind: str) -> None:
    (assets / "voice").write_bytes(BAD_SOUNDS[kind])
    with pytest.raises(AssetFailed, match="voice") as caught:
        rendered(assets, job())
    (item,) = caught.value.errors
    assert item.pointer == "/previewRequest/audio/narration/0/assetId"


def test_a_truncated_sound_fails_the_job(assets: Path) -> None:
    whole = (assets / "voice").read_bytes()
    (assets / "voice").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AssetFailed, match="truncated"):
        rendered(assets, job())


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 1), (48_000, 6)])
def test_odd_sounds_are_heard(assets: Path, rate: int, channels: int) -> None:
    write_wav(assets / "voice", seconds=0.4, rate=rate, channels=channels)
    assert rendered(assets, job()).frames == 12


def test_a_file_of_another_size_or_content_than_declared_is_refused(assets: Path) -> None:
    size = (assets / "board").stat().st_size
    for declared, field in (({"bytes": size + 1}, "bytes"), ({"sha256": "0" * 64}, "sha256")):
        with pytest.raises(AssetFailed) as caught:
            rendered(assets, job(**declared))
        (item,) = caught.value.errors
        assert (item.pointer, item.code) == (f"/previewRequest/assets/1/{field}", "asset-changed")


def test_a_remote_asset_is_rendered_from_the_file_that_was_fetched(assets: Path) -> None:
    payload = job()
    payload["previewRequest"]["assets"][1] = {
        "id": "board",
        "type": "image",
        "uri": "https://assets.test/board.png",
    }
    fetched = {"board": (assets / "board").rename(assets.parent / "0")}
    result = render_in_child(
        payload,
        asset_dir=assets,
        out_dir=assets.parent / "out",
        limits=LIMITS,
        on_tick=never,
        fetched=fetched,
    )
    assert result.frames == 12
    with pytest.raises(AssetBlocked) as caught:
        rendered(assets, payload)
    assert caught.value.errors[0].code == "asset-remote"
