from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.errors import QualityFailed
from app.render.engine import render
from app.render.picture import stills
from tests.render.films import make_payload, write_wav


def rendered(directory: Path, payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Render; return the checks of the manifest by their rules."""
    render(
        payload,
        asset_dir=directory,
        out_dir=directory / "out",
        threads=1,
        on_progress=lambda _: None,
    )
    manifest = json.loads((directory / "out" / "manifest.json").read_bytes())
    assert manifest["captions"]["language"] == "en"
    return {check["rule"]: check for check in manifest["quality"]["checks"]}


def test_the_manifest_has_the_quality_report(tmp_path: Path) -> None:
    write_wav(tmp_path / "voice.wav", seconds=1.5)
    payload = make_payload(
        {"id": "a", "title": "Set up", "body": "Place the board.", "durationSec": 2},
        assets=[{"id": "voice", "type": "audio", "path": "voice.wav"}],
        audio={"narration": [{"stepId": "a", "assetId": "voice"}]},
    )
    checks = rendered(tmp_path, payload)
    outcomes = {rule: check["outcome"] for rule, check in checks.items()}
    for rule in (
        "loudness",
        "true-peak",
        "cue-speed",
        "contrast-body",
        "text-safe-area",
        "av-difference",
        "glyphs",
        "keyframes",
        "poster-not-black",
    ):
        assert outcomes[rule] == "ok", checks[rule]
    assert outcomes["music-under-voice"] == "not applicable"


def test_music_is_measured_under_the_voice(tmp_path: Path) -> None:
    write_wav(tmp_path / "voice.wav", seconds=2)
    write_wav(tmp_path / "music.wav", seconds=3, hertz=220)
    payload = make_payload(
        {"id": "a", "text": "Place the board.", "durationSec": 3},
        assets=[
            {"id": "voice", "type": "audio", "path": "voice.wav"},
            {"id": "music", "type": "audio", "path": "music.wav"},
        ],
        audio={
            "narration": [{"stepId": "a", "assetId": "voice"}],
            "music": {"assetId": "music"},
        },
    )
    assert rendered(tmp_path, payload)["music-under-voice"]["outcome"] == "ok"


def test_missing_glyphs_and_too_short_steps_are_warnings(tmp_path: Path) -> None:
    words = "Take two tokens from the bank and put them on your own board now. " * 3
    steps = (
        {"text": f"\ue000 {words}", "durationSec": 2},
        {"text": "End.", "durationSec": 2},
    )
    checks = rendered(tmp_path, make_payload(*steps))
    assert checks["glyphs"]["outcome"] == "warning"
    assert "U+E000" in checks["glyphs"]["measured"]
    assert checks["cue-speed"]["outcome"] in ("ok", "warning")


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    checks = rendered(tmp_path, make_payload({"id": "a", "durationSec": 1}))
    for rule in ("loudness", "true-peak", "text-size", "contrast-body", "cue-lines"):
        assert checks[rule]["outcome"] == "not applicable"
    assert checks["av-difference"]["outcome"] == "ok"


def test_a_preview_that_breaks_a_hard_rule_fails_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills, "POSTER", (1270, 720))  # as a mistake in the renderer would
    payload = make_payload({"id": "a", "text": "Place the board.", "durationSec": 2})
    with pytest.raises(QualityFailed, match=r"poster.*1270x720") as caught:
        rendered(tmp_path, payload)
    assert [item.code for item in caught.value.errors] == ["poster"]
    assert not (tmp_path / "out" / "manifest.json").exists()
