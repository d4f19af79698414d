from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from app.errors import AssetFailed, ValidationFailed
from app.render.engine import render
from app.render.progress import Progress
from app.render.result import RenderResult
from tests.render.films import make_payload, write_png, write_wav

STEPS: list[dict[str, Any]] = [
    {"id": "one", "title": "Set up", "body": "Put the board down.", "durationSec": 10},
    {"id": "two", "title": "Play", "body": "Take a card, then play one.", "durationSec": 10},
    {"id": "three", "title": "Score", "text": "Count the points.", "durationSec": 10.5},
]


def rendered(
    payload: dict[str, Any], *, asset_dir: Path, out: Path, threads: int = 1
) -> tuple[RenderResult, list[Progress]]:
    progress: list[Progress] = []
    result = render(
        payload, asset_dir=asset_dir, out_dir=out, threads=threads, on_progress=progress.append
    )
    return result, progress


def by_kind(result: RenderResult, out: Path) -> dict[str, Path]:
    return {file.kind: out / file.name for file in result.files}


def test_a_job_becomes_all_files_of_a_preview(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result, progress = rendered(make_payload(*STEPS), asset_dir=tmp_path, out=out)
    names = [file.name for file in result.files]
    assert names == [
        "preview.mp4",
        "poster.jpg",
        "contact-sheet.jpg",
        *[f"thumbnails/{number:02}.jpg" for number in range(1, 5)],
        "captions.srt",
        "captions.vtt",
        "chapters.json",
        "manifest.json",
    ]
    on_disk = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert on_disk == set(names)
    for file in result.files:
        content = (out / file.name).read_bytes()
        assert file.bytes == len(content)
        assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert (result.seconds, result.frames) == (30.5, 915)
    assert progress[0] == Progress("preparing")
    assert progress[-1] == Progress("finishing", 915, 915)
    rendering = [p for p in progress if p.phase == "rendering"]
    assert [p.frames_done for p in rendering] == list(range(1, 916))
    assert {p.frames_total for p in rendering} == {915}
    with av.open(str(out / "preview.mp4")) as film:
        assert film.streams.video[0].frames == 915
    poster = Image.open(out / "poster.jpg")
    assert np.asarray(poster.convert("L")).std() > 6


def test_the_manifest_lists_every_other_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result, _ = rendered(make_payload(*STEPS[:1]), asset_dir=tmp_path, out=out)
    manifest = json.loads((out / "manifest.json").read_bytes())
    listed = {(file["name"], file["sha256"]) for file in manifest["files"]}
    assert listed == {(f.name, f.sha256) for f in result.files if f.kind != "manifest"}
    assert manifest["warnings"] == list(result.warnings)
    assert manifest["tools"]["x264"].split()[0].isdigit()


def test_the_same_job_gives_the_same_bytes_of_every_file(tmp_path: Path) -> None:
    write_png(tmp_path / "board.png", size=(400, 300))
    write_wav(tmp_path / "voice.wav", seconds=1.3, rate=22_050)
    payload = make_payload(
        {"id": "one", "title": "Board", "visuals": [{"id": "v", "assetId": "board"}]},
        {"id": "two", "text": "Said aloud."},
        assets=[
            {"id": "board", "type": "image", "path": "board.png"},
            {"id": "voice", "type": "audio", "path": "voice.wav"},
        ],
        audio={"narration": [{"stepId": "two", "assetId": "voice"}]},
    )
    first, _ = rendered(payload, asset_dir=tmp_path, out=tmp_path / "a", threads=1)
    second, _ = rendered(payload, asset_dir=tmp_path, out=tmp_path / "b", threads=3)
    assert first == second
    assert len(first.files) >= 8


def test_a_narration_is_heard_in_its_step_and_gives_it_its_length(tmp_path: Path) -> None:
    write_wav(tmp_path / "voice.wav", seconds=2.5, channels=2, rate=44_100)
    payload = make_payload(
        {"id": "one", "text": "Silent.", "durationSec": 2},
        {"id": "two", "text": "Said aloud."},
        assets=[{"id": "voice", "type": "audio", "path": "voice.wav"}],
        audio={"narration": [{"stepId": "two", "assetId": "voice", "offsetSec": 0.5}]},
    )
    out = tmp_path / "out"
    result, _ = rendered(payload, asset_dir=tmp_path, out=out)
    assert result.seconds > 2 + 0.5 + 2.5
    with av.open(str(out / "preview.mp4")) as film:
        heard = np.concatenate([f.to_ndarray()[0] for f in film.decode(audio=0)])
    loud = np.flatnonzero(np.abs(heard) > 0.1)
    assert loud[0] / 48_000 == pytest.approx(2.5, abs=0.01)
    assert loud[-1] / 48_000 == pytest.approx(5.0, abs=0.05)


def test_a_broken_narration_is_an_asset_failed_that_points_to_it(tmp_path: Path) -> None:
    (tmp_path / "voice.wav").write_bytes(b"no sound")
    write_wav(tmp_path / "good.wav")
    payload = make_payload(
        *STEPS,
        assets=[
            {"id": "good", "type": "audio", "path": "good.wav"},
            {"id": "voice", "type": "audio", "path": "voice.wav"},
        ],
        audio={
            "narration": [
                {"stepId": "one", "assetId": "good"},
                {"stepId": "three", "assetId": "good"},
                {"stepId": "two", "assetId": "voice"},
            ]
        },
    )
    with pytest.raises(AssetFailed, match="voice") as caught:
        rendered(payload, asset_dir=tmp_path, out=tmp_path / "out")
    (item,) = caught.value.errors
    assert item.pointer == "/previewRequest/audio/narration/2/assetId"
    assert not list((tmp_path / "out").glob("preview.*"))


def test_nothing_to_show_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="steps or a title"):
        rendered(make_payload(title=""), asset_dir=tmp_path, out=tmp_path / "out")


def test_captions_that_are_not_wanted_are_not_written(tmp_path: Path) -> None:
    options = {"resolution": "320x180", "quality": "draft", "includeCaptions": False}
    payload = make_payload(*STEPS[:1], options=options)
    result, _ = rendered(payload, asset_dir=tmp_path, out=tmp_path / "out")
    kinds = by_kind(result, tmp_path / "out")
    assert "video" in kinds
    assert not any(kind.startswith("captions") for kind in kinds)
    assert "chapters" not in kinds


def test_a_step_lasts_until_its_captions_can_be_read(tmp_path: Path) -> None:
    payload = make_payload(
        {"id": "one", "text": "word " * 60, "durationSec": 1},
        options={"resolution": "160x90", "quality": "draft"},
    )
    result, _ = rendered(payload, asset_dir=tmp_path, out=tmp_path / "out")
    assert result.seconds > 60 * 5 / 17
    assert any("captions could not be read" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("container", "codecs"),
    [("mp4", ["h264", "aac", "mov_text"]), ("webm", ["vp9", "opus", "webvtt"])],
)
def test_the_film_is_in_the_container_that_was_asked_for(
    tmp_path: Path, container: str, codecs: list[str]
) -> None:
    options = {"resolution": "160x90", "quality": "draft", "format": container}
    payload = make_payload(*STEPS, options=options)
    result, _ = rendered(payload, asset_dir=tmp_path, out=tmp_path / "out")
    video = result.files[0]
    names = (video.kind, video.name, video.content_type)
    assert names == ("video", f"preview.{container}", f"video/{container}")
    with av.open(str(tmp_path / "out" / video.name)) as film:
        streams = [*film.streams.video, *film.streams.audio, *film.streams.subtitles]
        assert [stream.codec_context.name for stream in streams] == codecs
        packets = [packet for packet in film.demux(video=0) if packet.size]
        assert [n for n, packet in enumerate(packets) if packet.is_keyframe] == [0, 300, 600]
        assert len(packets) == result.frames
        assert [one["metadata"]["title"] for one in film.chapters()] == ["Set up", "Play", "Score"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert ("x264" in manifest["tools"]) == (container == "mp4")


def test_a_picture_that_is_replaced_during_the_render_changes_neither_film_nor_manifest(
    tmp_path: Path,
) -> None:
    write_png(tmp_path / "board.png")
    given = (tmp_path / "board.png").read_bytes()
    payload = make_payload(
        *[{"id": f"s{n}", "text": "Look.", "visuals": [{"assetId": "b"}]} for n in range(2)],
        assets=[{"id": "b", "type": "image", "path": "board.png"}],
        options={"resolution": "160x90", "fps": 24, "quality": "draft", "thumbnails": 1},
    )
    films = []
    for replaced in (False, True):

        def replace(progress: Progress, *, now: bool = replaced) -> None:
            if now and progress.frames_done == 1:
                (tmp_path / "board.png").write_bytes(b"no picture")

        out = tmp_path / f"out-{replaced}"
        result = render(payload, asset_dir=tmp_path, out_dir=out, threads=1, on_progress=replace)
        films.append({file.name: file.sha256 for file in result.files})
        manifest = json.loads((out / "manifest.json").read_bytes())
        assert manifest["inputs"][0]["sha256"] == hashlib.sha256(given).hexdigest()
        assert not [path for path in out.iterdir() if path.name.startswith(".")]
    assert films[0] == films[1]
