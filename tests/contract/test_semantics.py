from __future__ import annotations

from typing import Any

import pytest

from app.contract import load_contract
from app.errors import ValidationFailed

from .payloads import ABSENT, edited, full, minimal

STEP = "/previewRequest/steps/0"
OPTIONS = "/previewRequest/options"
NARRATION = "/previewRequest/audio/narration"
#: Another narration of the first step.
AGAIN = {"stepId": "setup", "assetId": "voice"}
#: A callout that appears after its step.
LATE = {"target": {"x": 0, "y": 0}, "appearSec": 6.34}
#: An asset of a name that is taken.
COPY = {"id": "board", "type": "image", "path": "copy.png"}


def broken(payload: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        load_contract().check(payload)
    except ValidationFailed as error:
        return [(item.pointer, item.code) for item in error.errors]
    return []


def resized(resolution: str) -> dict[str, Any]:
    return edited(full(), OPTIONS + "/resolution", resolution)


BROKEN = [
    ("/previewRequest/steps/1/id", "setup", "/previewRequest/steps/1/id", "duplicate-id"),
    ("/previewRequest/assets/-", COPY, "/previewRequest/assets/2/id", "duplicate-id"),
    (
        STEP + "/overlays/-",
        {"id": "badge", "text": "again"},
        STEP + "/overlays/1/id",
        "duplicate-id",
    ),
    (
        STEP + "/visuals/-",
        {"id": "picture", "assetId": "board"},
        STEP + "/visuals/1/id",
        "duplicate-id",
    ),
    (
        "/previewRequest/assets",
        [
            *full()["previewRequest"]["assets"],
            *({"id": f"font-{n}", "type": "font", "path": "a.ttf"} for n in range(9)),
        ],
        "/previewRequest/assets/10",
        "too-many",
    ),
    (STEP + "/background/assetId", "absent", None, "unknown-asset"),
    (STEP + "/background/assetId", "voice", None, "wrong-asset-type"),
    (STEP + "/visuals/0/assetId", "absent", None, "unknown-asset"),
    (STEP + "/visuals/0/assetId", "voice", None, "wrong-asset-type"),
    (NARRATION + "/0/assetId", "absent", None, "unknown-asset"),
    (NARRATION + "/0/assetId", "board", None, "wrong-asset-type"),
    (NARRATION + "/0/stepId", "absent", None, "unknown-step"),
    (NARRATION + "/-", AGAIN, NARRATION + "/1/stepId", "duplicate-narration"),
    ("/previewRequest/steps/1/durationSec", 0.49, None, "too-small"),
    (STEP + "/overlays/0/endSec", 0, None, "bad-time-range"),
    (STEP + "/callouts/-", LATE, STEP + "/callouts/0/appearSec", "outside-step"),
    (STEP + "/overlays/0/endSec", 6.34, None, "outside-step"),
    (STEP + "/visuals/0/motions/0/endSec", 6.34, None, "outside-step"),
    (STEP + "/visuals/0/motions/0/startSec", 2.5, None, "bad-time-range"),
    (STEP + "/motion/startSec", 6.34, None, "outside-step"),
    (STEP + "/overlays/0/placement/width", 0.009, None, "too-small"),
    (STEP + "/overlays/0/placement/x", 0.51, STEP + "/overlays/0/placement", "outside-frame"),
    (STEP + "/overlays/0/placement/y", 0.61, STEP + "/overlays/0/placement", "outside-frame"),
    (STEP + "/visuals/0/placement/height", 0.81, STEP + "/visuals/0/placement", "outside-frame"),
    (OPTIONS + "/maxDurationSec", 10, "/previewRequest/steps", "duration-too-long"),
    (OPTIONS + "/posterAtSec", 10.4, None, "outside-film"),
]  # fmt: skip


@pytest.mark.parametrize(("at", "value", "pointer", "code"), BROKEN)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_payload_without_meaning_is_refused_at_its_place(
    at: str, value: object, pointer: str | None, code: str, *, dry_run: bool
) -> None:
    payload = edited(edited(full(), "/dryRun", dry_run), at, value)
    expected = (at if pointer is None else pointer, code)
    if code == "bad-time-range":
        expected = (at.rpartition("/")[0] + "/endSec", code)
    assert [found for found in broken(payload) if found[1] != "unsupported-feature"] == [expected]


def test_all_violations_of_meaning_are_told_at_once() -> None:
    payload = edited(full(), STEP + "/visuals/0/assetId", "absent")
    payload = edited(payload, OPTIONS + "/resolution", "1281x720")
    payload = edited(payload, NARRATION + "/0/stepId", "absent")
    payload = edited(payload, OPTIONS + "/captionLanguages", ["fr"])
    assert [code for _, code in broken(payload)] == [
        "unknown-asset",
        "unknown-step",
        "bad-resolution",
        "unsupported-feature",
    ]


@pytest.mark.parametrize(
    "step",
    [
        {"callouts": [{"target": {"x": 0.9, "y": 0.5, "w": 0.2}}]},
        {"callouts": [{"target": {"x": 0.9, "y": 0.5, "h": 0.6}}]},
        {"layout": {"visualFocus": {"x": 0.5, "y": 0.5, "w": 0.6, "h": 0.1}}},
    ],
)
def test_a_target_or_a_focus_outside_the_frame_is_refused(step: dict[str, Any]) -> None:
    payload = edited(minimal(), "/previewRequest/steps", [step])
    ((pointer, code),) = broken(payload)
    assert code == "outside-frame"
    assert pointer.startswith(STEP)


def test_times_of_a_step_of_unknown_length_are_only_compared_with_each_other() -> None:
    payload = edited(full(), STEP + "/durationSec", ABSENT)
    payload = edited(payload, STEP + "/overlays/0/startSec", 100)
    assert broken(payload) == [(STEP + "/overlays/0/endSec", "bad-time-range")]
    assert broken(edited(payload, STEP + "/overlays/0/endSec", 101)) == []


def test_rounding_is_no_violation() -> None:
    box = {"x": 0.9, "y": 0.7, "width": 1.1 - 1 + 1e-10, "height": 0.1 + 0.2}
    assert box["x"] + box["width"] > 1
    payload = edited(full(), STEP + "/overlays/0/placement", box)
    assert broken(edited(payload, STEP + "/overlays/0/endSec", 6.3333333333333339)) == []


@pytest.mark.parametrize(
    "resolution", ["160x90", "1280x720", "3840x2160", "1080x1920", "2160x3840", "90x160", "720x720"]
)
def test_sizes_either_way_up_are_accepted(resolution: str) -> None:
    assert broken(resized(resolution)) == []


@pytest.mark.parametrize(
    "resolution",
    ["88x160", "160x88", "1281x720", "1280x721", "3842x2160", "3840x2162", "3840x3840", "9998x90"],
)
def test_sizes_that_cannot_be_encoded_are_refused(resolution: str) -> None:
    assert broken(resized(resolution)) == [(OPTIONS + "/resolution", "bad-resolution")]


def test_the_same_ids_in_different_lists_are_no_duplicates() -> None:
    payload = edited(full(), STEP + "/overlays/0/id", "picture")
    payload = edited(payload, "/previewRequest/steps/1/overlays", [{"id": "picture", "text": "a"}])
    assert broken(payload) == []


def test_things_without_an_id_are_no_duplicates() -> None:
    payload = edited(minimal(), "/previewRequest/steps", [{"text": "a"}, {"text": "a"}])
    assert broken(payload) == []


def test_each_duplicate_is_told_with_the_first_of_its_name() -> None:
    steps = [{"id": "a"}, {"id": "b"}, {"id": "a"}, {"id": "a"}]
    payload = edited(minimal(), "/previewRequest/steps", steps)
    with pytest.raises(ValidationFailed) as caught:
        load_contract().check(payload)
    assert [item.detail for item in caught.value.errors] == [
        '"a" is already the id of item 0; ids must be unique.'
    ] * 2


@pytest.mark.parametrize("language", ["de", "en-GB"])
def test_a_dry_run_may_narrate_a_step_in_two_languages(language: str) -> None:
    track = {**AGAIN, "language": language}
    payload = edited(full(), NARRATION + "/-", track)
    assert broken(edited(payload, "/dryRun", value=True)) == []


def test_a_narration_without_a_language_is_in_that_of_the_film() -> None:
    payload = edited(full(), NARRATION + "/0/language", "DE")
    payload = edited(payload, OPTIONS + "/language", "de")
    payload = edited(payload, OPTIONS + "/captionLanguages", [])
    payload = edited(payload, NARRATION + "/-", AGAIN)
    assert broken(payload) == [(NARRATION + "/1/stepId", "duplicate-narration")]


def test_ten_minutes_are_the_longest_unless_told_otherwise() -> None:
    steps = [{"text": "a", "durationSec": 120}] * 5
    payload = edited(minimal(), "/previewRequest/steps", steps)
    assert broken(payload) == []
    longer = edited(payload, "/previewRequest/steps/-", {"text": "a", "durationSec": 0.5})
    assert broken(longer) == [("/previewRequest/steps", "duration-too-long")]
    assert broken(edited(longer, OPTIONS, {"maxDurationSec": 600.5})) == []


def test_a_poster_time_is_not_judged_while_a_length_is_unknown() -> None:
    payload = edited(full(), OPTIONS + "/posterAtSec", 59)
    assert broken(payload) == [(OPTIONS + "/posterAtSec", "outside-film")]
    assert broken(edited(payload, "/previewRequest/steps/1/durationSec", ABSENT)) == []


@pytest.mark.parametrize("title", [ABSENT, " \t\n"])
def test_nothing_to_show_is_refused_live_and_accepted_dry(title: object) -> None:
    payload = edited(minimal(), "/previewRequest/title", "T")
    payload = edited(payload, "/previewRequest/title", title)
    assert broken(payload) == []
    live = edited(payload, "/dryRun", value=False)
    assert broken(live) == [("/previewRequest/steps", "empty-tutorial")]


def test_a_title_alone_is_a_title_card() -> None:
    live = edited(minimal(), "/dryRun", value=False)
    assert broken(edited(live, "/previewRequest/title", "How to play")) == []
