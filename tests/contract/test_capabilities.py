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
FONT = {"id": "font", "type": "font", "path": "font.woff2"}
CAPTIONS = {"id": "words", "type": "captions", "path": "words.srt", "language": "pt-BR"}
TRACK = {"stepId": "setup", "assetId": "voice", "language": "de"}

#: Where, what, the pointer of the refusal (None: where), and a word that it says.
NOT_RENDERED: list[tuple[str, Any, str | None, str]] = [
    (ASSETS + "/-", FONT, ASSETS + "/2/path", "use TTF or OTF"),
    (ASSETS + "/-", {**FONT, "type": "captions"}, ASSETS + "/2/language", "without a language"),
    (ASSETS + "/-", CAPTIONS, ASSETS + "/2/language", "in pt-br"),
    (ASSETS + "/-", {**CAPTIONS, "language": "en"}, ASSETS + "/2/language", "film's language"),
    (
        ASSETS + "/-",
        {"id": "far", "type": "image", "uri": "https://a.example/b.png"},
        ASSETS + "/2/uri",
        "uri",
    ),
    (OPTIONS + "/captionLanguages", ["en", "FR"], OPTIONS + "/captionLanguages/1", "in fr"),
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
    assert "is not supported by this version" in item.detail


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
        *[
            (STEP + "/layout/mode", mode)
            for mode in [
                "text-only",
                "full-bleed",
                "image-left",
                "image-right",
                "image-top",
                "center-focus",
                "split-teaching",
                "brand",
            ]
        ],
        (STEP + "/layout/imageSide", "left"),
        (STEP + "/layout/panelWidthRatio", 0.3),
        (STEP + "/layout/visualFocus", {"x": 0, "y": 0}),
        (STEP + "/accentColor", "#11223344"),
        (STEP + "/overlays/0/color", "#ffffff80"),
        (STEP + "/layout", ABSENT),
        *[
            (STEP + "/visuals/0/motions/0/type", kind)
            for kind in [
                "hold",
                "fade",
                "slide",
                "zoom",
                "pan",
                "pulse",
                "highlight",
                "focus_zoom",
                "soft_slide_in",
                "ken_burns",
            ]
        ],
        *[
            (STEP + "/transition/in", kind)
            for kind in ["cut", "crossfade", "fade", "slide-left", "slide-right"]
        ],
        (STEP + "/motion/type", "ken_burns"),
        (STEP + "/motion", ABSENT),
        (STEP + "/transition", {}),
        (STEP + "/callouts", [{"target": {"x": 0, "y": 0}}]),
        (STEP + "/visuals/0/motions", []),
        (AUDIO + "/voice", ABSENT),
        (AUDIO + "/narration", ABSENT),
        (AUDIO + "/music", {"assetId": "voice"}),
        (AUDIO + "/ducking", {"mode": "envelope"}),
        (AUDIO + "/loudness", {"targetLufs": -16}),
        (AUDIO + "/narration/-", TRACK),
        (AUDIO + "/voice", {}),
        (AUDIO + "/voice/provider", "local"),
        (AUDIO + "/narration/0/language", "de"),
        (OPTIONS + "/format", "webm"),
        (OPTIONS + "/burnInCaptions", True),
        (OPTIONS + "/captionLanguages", []),
        (OPTIONS + "/captionLanguages", ["EN", "en"]),
        (OPTIONS, ABSENT),
        (ASSETS + "/-", {**FONT, "path": "brand/Headline-Bold.TTF"}),
    ],
)
def test_what_asks_for_nothing_more_is_rendered(at: str, value: object) -> None:
    payload = edited(full(), at, value)
    load_contract().check(payload)
    assert load_contract().unsupported(payload) == ()


def test_every_wish_that_is_not_rendered_is_told_at_once() -> None:
    payload = edited(full(), OPTIONS + "/captionLanguages", ["de", "fr"])
    payload = edited(payload, ASSETS + "/-", FONT)
    assert [item.pointer for item in load_contract().unsupported(payload)] == [
        ASSETS + "/2/path",
        OPTIONS + "/captionLanguages/0",
        OPTIONS + "/captionLanguages/1",
    ]


def test_captions_in_a_language_that_has_a_file_are_rendered() -> None:
    payload = edited(full(), ASSETS + "/-", CAPTIONS)
    payload = edited(payload, OPTIONS + "/captionLanguages", ["pt-br", "en", "PT-BR"])
    assert load_contract().unsupported(payload) == ()


def test_a_second_file_in_one_language_is_refused() -> None:
    payload = edited(full(), ASSETS + "/-", CAPTIONS)
    payload = edited(payload, ASSETS + "/-", {**CAPTIONS, "id": "more"})
    payload = edited(payload, OPTIONS + "/captionLanguages", ["pt-BR"])
    (item,) = load_contract().unsupported(payload)
    assert item.pointer == ASSETS + "/3/language"
    assert "second" in item.detail
