"""Sound from payload to finished file: measured on what a player decodes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.render.engine import render
from app.render.model.sound import SAMPLE_RATE
from app.render.sound import espeak
from app.render.sound.loudness import Reading, measure
from tests.render.films import make_payload, write_wav
from tests.render.sounds import write_music, write_samples, write_speech


def rendered(payload: dict[str, Any], assets: Path, out: Path) -> tuple[Path, dict[str, Any]]:
    result = render(payload, asset_dir=assets, out_dir=out, threads=1, on_progress=lambda _: None)
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_bytes())
    assert manifest["warnings"] == list(result.warnings)
    on_disk = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert on_disk == {file.name for file in result.files}
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    return out / result.files[0].name, manifest


def heard(path: Path) -> Iterator[NDArray[np.float32]]:
    with av.open(str(path)) as film:
        assert film.streams.audio[0].rate == SAMPLE_RATE
        for frame in film.decode(audio=0):
            yield np.ascontiguousarray(frame.to_ndarray().T, np.float32)


def check_told(reading: Reading, manifest: dict[str, Any]) -> None:
    """The manifest tells what is in the file, and both keep the rules."""
    told = manifest["sound"]
    assert reading.integrated_lufs == pytest.approx(-14, abs=0.5)
    assert reading.true_peak_dbtp <= -1
    assert told["integratedLufs"] == pytest.approx(reading.integrated_lufs, abs=0.1)
    assert told["truePeakDbtp"] == pytest.approx(reading.true_peak_dbtp, abs=0.1)


def tutorial(*kinds: str, **options: Any) -> dict[str, Any]:
    """A job with a narrated step for each file, and music."""
    assets = [{"id": kind, "type": "audio", "path": f"{kind}.wav"} for kind in (*kinds, "music")]
    payload = make_payload(
        *[{"id": f"step-{kind}", "text": "Take a card."} for kind in kinds],
        assets=assets,
        audio={
            "narration": [{"stepId": f"step-{kind}", "assetId": kind} for kind in kinds],
            "music": {"assetId": "music", "relativeDb": -6},
        },
    )
    payload["previewRequest"]["options"] |= {"resolution": "160x90"} | options
    return payload


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_recordings_of_any_kind_and_music_become_one_sound_that_keeps_the_rules(
    tmp_path: Path, container: str
) -> None:
    write_speech(tmp_path / "phone.wav", seconds=2, rate=8_000, level=0.05)
    write_speech(tmp_path / "mono.wav", seconds=2, rate=44_100, level=0.9)
    time = np.arange(2 * 48_000) / 48_000
    voice = 0.5 * np.sin(2 * np.pi * 300 * time) * (np.sin(2 * np.pi * 3 * time) > 0)
    surround = np.stack([0 * voice, 0 * voice, voice, 0 * voice, 0 * voice, 0 * voice], axis=1)
    write_samples(tmp_path / "surround.wav", surround)
    write_music(tmp_path / "music.wav", seconds=1.3, rate=22_050)
    payload = tutorial("phone", "mono", "surround", format=container)
    path, manifest = rendered(payload, tmp_path, tmp_path / "out")
    assert path.suffix == f".{container}"
    check_told(measure(heard(path)), manifest)
    assert manifest["sound"]["voiceOverMusicLu"] >= 18
    samples = sum(map(len, heard(path)))
    assert abs(samples / SAMPLE_RATE - manifest["video"]["durationSec"]) < 1 / 30 + 0.022


def test_loudness_is_measured_as_a_player_hears_it(tmp_path: Path) -> None:
    """Short beeps: 21 ms of the encoder's priming move them among the meter's blocks of 100 ms."""
    time = np.arange(16 * 4_800) / 48_000
    beeps = 0.5 * np.sin(2 * np.pi * 1_000 * time) * (time % 0.5 < 0.1)
    write_samples(tmp_path / "beeps.wav", beeps)
    payload = tutorial("beeps")
    del payload["previewRequest"]["audio"]["music"]
    payload["previewRequest"]["assets"].pop()
    path, manifest = rendered(payload, tmp_path, tmp_path / "out")
    told = manifest["sound"]["integratedLufs"]
    assert measure(heard(path)).integrated_lufs == pytest.approx(told, abs=0.05)


def test_a_narration_is_heard_within_10_ms_of_its_step(tmp_path: Path) -> None:
    write_wav(tmp_path / "one.wav", seconds=1)
    write_wav(tmp_path / "two.wav", seconds=1)
    payload = tutorial("one", "two")
    del payload["previewRequest"]["audio"]["music"]
    payload["previewRequest"]["assets"].pop()
    path, manifest = rendered(payload, tmp_path, tmp_path / "out")
    loud = np.abs(np.concatenate(list(heard(path)))[:, 0]) > 0.1
    starts = [0, *(np.flatnonzero(np.diff(np.flatnonzero(loud)) > 4800) + 1)]
    found = np.flatnonzero(loud)[starts] / SAMPLE_RATE
    steps = [step["startSec"] for step in manifest["timeline"]]
    assert found == pytest.approx(steps, abs=0.01)


def test_the_same_payload_in_another_language_is_another_film(tmp_path: Path) -> None:
    write_wav(tmp_path / "en.wav", seconds=1)
    write_wav(tmp_path / "de.wav", seconds=2)
    payload = tutorial("en", "de")
    request = payload["previewRequest"]
    del request["steps"][1], request["audio"]["music"], request["assets"][2]
    for language, track in zip(["en", "de"], request["audio"]["narration"], strict=True):
        track |= {"stepId": "step-en", "language": language}
    found = {}
    for language in ("en", "de"):
        request["options"]["language"] = language
        _, manifest = rendered(payload, tmp_path, tmp_path / language)
        found[language] = manifest["video"]["durationSec"]
        other = {"en": "de", "de": "en"}[language]
        assert any(f"narration in {other} is left out" in told for told in manifest["warnings"])
    assert found == {"en": pytest.approx(1.3, abs=0.02), "de": pytest.approx(2.3, abs=0.02)}


@pytest.mark.skipif(not shutil.which(espeak.PROGRAM), reason="espeak-ng is not installed")
def test_a_tutorial_of_texts_alone_is_heard_and_the_same_each_time(tmp_path: Path) -> None:
    payload = make_payload(
        {"id": "a", "title": "Setup", "body": "Place the board in the middle of the table."},
        {"id": "b", "text": "Take a card."},
        audio={"voice": {"provider": "local"}},
    )
    path, manifest = rendered(payload, tmp_path, tmp_path / "one")
    check_told(measure(heard(path)), manifest)
    assert [step["durationSource"] for step in manifest["timeline"]] == ["narration"] * 2
    again, _ = rendered(payload, tmp_path, tmp_path / "two")
    assert path.read_bytes() == again.read_bytes()
