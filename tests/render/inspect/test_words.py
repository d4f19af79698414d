from __future__ import annotations

import copy
from typing import Any

import pytest

from app.render.inspect.captions import ParsedCue
from app.render.inspect.manifest import manifest_checks
from app.render.inspect.words import word_check

STEPS: list[dict[str, Any]] = [
    {"stepId": "a", "startSec": 0.0, "durationSec": 4.0, "spoken": "Take 2 cards, then pass."},
    {"stepId": "b", "startSec": 4.0, "durationSec": 4.0, "spoken": "推一张牌。 \u200f"},
]
CUES = (
    ParsedCue(0.0, 2.0, ("Take 2", "cards,")),
    ParsedCue(2.1, 3.9, ("then pass.",)),
    ParsedCue(4.0, 6.0, ("推一张", "牌。")),
)
MANIFEST: dict[str, Any] = {
    "manifestVersion": 1, "jobId": "j", "projectId": "p", "warnings": [], "quality": {},
    "tools": {"mobius-preview-worker": "1", "pyav": "18", "libavcodec": "62"},
    "video": {}, "sound": None,
    "inputs": [{"id": "a", "type": "image", "bytes": 1, "sha256": "0"}],
    "files": [{"name": "a", "kind": "b", "contentType": "c", "bytes": 1, "sha256": "0"}],
    "timeline": [
        {"stepId": "a", "startSec": 0, "durationSec": 1, "frames": 3, "durationSource": "given"}
    ],
    "captions": {"cues": 3, "maxCharsPerSecond": 6.5},
}  # fmt: skip


def test_all_words_in_order_hold_however_lines_are_broken() -> None:
    assert word_check(CUES, STEPS).outcome == "ok"


@pytest.mark.parametrize(
    "cues",
    [
        CUES[:2],
        (CUES[0], CUES[2]),
        (CUES[0], ParsedCue(2.1, 3.9, ("then pass it.",)), CUES[2]),
        (ParsedCue(0.0, 2.0, ("2 Take", "cards,")), *CUES[1:]),
        (CUES[0], ParsedCue(4.0, 4.1, ("then pass.",)), CUES[2]),
    ],
    ids=["tail", "middle", "more", "order", "step"],
)
def test_words_that_are_lost_added_or_elsewhere_are_found(cues: tuple[ParsedCue, ...]) -> None:
    assert word_check(cues, STEPS).outcome == "broken"


def test_without_captions_or_in_an_earlier_manifest_there_is_nothing_to_hold() -> None:
    assert word_check((), STEPS).outcome == "not applicable"
    assert word_check(CUES, [{"stepId": "a"}]).outcome == "not applicable"


def broken(manifest: dict[str, Any]) -> set[str]:
    checks = manifest_checks(manifest, CUES)
    return {check.rule for check in checks if check.outcome == "broken"}


def test_a_manifest_that_tells_all_holds() -> None:
    assert broken(MANIFEST) == set()


@pytest.mark.parametrize(
    ("part", "key"),
    [(part, None) for part in MANIFEST if part not in ("files", "captions")]
    + [("inputs", "sha256"), ("files", "contentType"), ("timeline", "frames"), ("tools", "pyav")],
)
def test_what_a_manifest_leaves_out_is_found(part: str, key: str | None) -> None:
    manifest = copy.deepcopy(MANIFEST)
    if key is None:
        del manifest[part]
    elif part == "tools":
        del manifest[part][key]
    else:
        del manifest[part][0][key]
    assert broken(manifest) == {"manifest"}


@pytest.mark.parametrize("wrong", [{"cues": 2}, {"maxCharsPerSecond": 7.5}])
def test_captions_that_a_manifest_tells_wrong_are_found(wrong: dict[str, Any]) -> None:
    assert broken({**MANIFEST, "captions": MANIFEST["captions"] | wrong}) == {"manifest-captions"}
