from __future__ import annotations

from typing import Any

import pytest

from app.contract import load_contract
from app.errors import ValidationFailed

from .payloads import ABSENT, edited, full

STEP = "/previewRequest/steps/0"
OPTIONS = "/previewRequest/options"
AUDIO = "/previewRequest/audio"
ASSETS = "/previewRequest/assets"
FONT = {"id": "font", "type": "font", "path": "font.ttf"}
TRACK = {"stepId": "setup", "assetId": "voice", "language": "de"}

#: Where, what, the pointer of the refusal (None: where), and a word that it says.
NOT_RENDERED: list[tuple[str, Any, str | None, str]] = [
    *[
        (STEP + "/layout/mode", mode, None, mode)
        for mode in ["full-bleed", "image-left", "image-right", "image-top", "center-focus"]
    ],
    (STEP + "/layout/imageSide", "left", None, "layout.imageSide"),
    (STEP + "/layout/panelWidthRatio", 0.3, None, "layout.panelWidthRatio"),
    (STEP + "/layout/visualFocus", {"x": 0, "y": 0}, None, "layout.visualFocus"),
    (STEP + "/motion/type", "ken_burns", None, "ken_burns"),
    (STEP + "/visuals/0/motions/0/type", "zoom", None, "zoom"),
    (STEP + "/transition/in", "crossfade", None, "crossfade"),
    (STEP + "/callouts", [{"target": {"x": 0, "y": 0}}], None, "callout"),
    (STEP + "/accentColor", "#11223344", None, "#11223344"),
    (STEP + "/overlays/0/color", "#ffffff80", None, "use #ffffff"),
    (ASSETS + "/-", FONT, ASSETS + "/2/type", "font"),
    (ASSETS + "/-", {**FONT, "type": "captions"}, ASSETS + "/2/type", "captions"),
    (
        ASSETS + "/-",
        {"id": "far", "type": "image", "uri": "https://a.example/b.png"},
        ASSETS + "/2/uri",
        "uri",
    ),
    (AUDIO + "/music", {"assetId": "voice"}, None, "audio.music"),
    (AUDIO + "/ducking", {"mode": "envelope"}, None, "audio.ducking"),
    (AUDIO + "/loudness", {"targetLufs": -16}, None, "audio.loudness"),
    (AUDIO + "/voice/provider", "local", None, "local"),
    (AUDIO + "/narration/-", TRACK, AUDIO + "/narration/1", "language"),
    (OPTIONS + "/format", "webm", None, "webm"),
    (OPTIONS + "/burnInCaptions", True, None, "captions"),
    (OPTIONS + "/captionLanguages", ["en", "fr"], OPTIONS + "/captionLanguages/1", "fr"),
]


@pytest.mark.parametrize(("at", "value", "pointer", "word"), NOT_RENDERED)
def test_a_live_job_is_refused_by_name_what_is_not_rendered(
    at: str, value: object, pointer: str | None, word: str
) -> None:
    payload = edited(full(), at, value)
    with pytest.raises(ValidationFailed) as caught:
        load_contract().check(payload)
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == (pointer or at, "unsupported-feature")
    assert word in item.detail
    assert "is not rendered by this version" in item.detail


@pytest.mark.parametrize(("at", "value", "pointer", "word"), NOT_RENDERED)
def test_a_dry_run_is_told_the_same_as_a_warning(
    at: str, value: object, pointer: str | None, word: str
) -> None:
    payload = edited(edited(full(), "/dryRun", value=True), at, value)
    contract = load_contract()
    contract.check(payload)
    (item,) = contract.unsupported(payload)
    assert (item.pointer, item.code) == (pointer or at, "unsupported-feature")
    assert word in item.detail


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (STEP + "/layout/mode", "text-only"),
        (STEP + "/layout", ABSENT),
        (STEP + "/motion", ABSENT),
        (STEP + "/transition", {}),
        (STEP + "/callouts", ABSENT),
        (STEP + "/visuals/0/motions", []),
        (AUDIO + "/voice", ABSENT),
        (AUDIO + "/narration", ABSENT),
        (AUDIO + "/ducking", {}),
        (AUDIO + "/voice", {}),
        (AUDIO + "/narration/0/language", "de"),
        (OPTIONS + "/captionLanguages", []),
        (OPTIONS + "/captionLanguages", ["EN"]),
        (OPTIONS, ABSENT),
    ],
)
def test_what_asks_for_nothing_more_is_rendered(at: str, value: object) -> None:
    payload = edited(full(), at, value)
    load_contract().check(payload)
    assert load_contract().unsupported(payload) == ()


def test_every_wish_that_is_not_rendered_is_told_at_once() -> None:
    payload = edited(full(), OPTIONS + "/format", "webm")
    payload = edited(payload, OPTIONS + "/burnInCaptions", value=True)
    payload = edited(payload, STEP + "/motion/type", "fade")
    assert [item.pointer for item in load_contract().unsupported(payload)] == [
        STEP + "/motion/type",
        OPTIONS + "/format",
        OPTIONS + "/burnInCaptions",
    ]
