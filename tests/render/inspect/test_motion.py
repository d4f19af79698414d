from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from app.render.engine import render
from app.render.inspect.motion import motion_checks
from tests.render.films import make_payload, write_png

RULES = {
    "step-duration", "zoom", "pan", "motions-at-once", "crossfade", "picture-safe-area",
}  # fmt: skip


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The timeline of a film in which all moves that can, as far as an author may ask."""
    directory = tmp_path_factory.mktemp("moving")
    write_png(directory / "board.png")
    moves = [
        {"type": "ken_burns", "to": 1.5}, {"type": "pan", "distance": 0.9},
        {"type": "soft_slide_in"}, {"type": "pulse"}, {"type": "highlight"},
    ]  # fmt: skip
    shown = {"visuals": [{"assetId": "board", "motions": moves}], "durationSec": 2.5}
    payload = make_payload(
        {"id": "a", **shown},
        {"id": "b", "title": "Set up", "body": "Place it.", "transition": {"in": "crossfade"}},
        assets=[{"id": "board", "type": "image", "path": "board.png"}],
        options={"resolution": "160x90", "fps": 24, "quality": "draft", "includeCaptions": False},
    )
    out = directory / "out"
    render(payload, asset_dir=directory, out_dir=out, threads=1, on_progress=lambda _: None)
    timeline: list[dict[str, Any]] = json.loads((out / "manifest.json").read_bytes())["timeline"]
    return timeline


@pytest.fixture
def timeline(rendered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A copy that a test may spoil."""
    return copy.deepcopy(rendered)


def outcomes(timeline: list[dict[str, Any]]) -> dict[str, str]:
    return {check.rule: check.outcome for check in motion_checks(timeline, fps=24)}


def broken(timeline: list[dict[str, Any]]) -> set[str]:
    return {rule for rule, outcome in outcomes(timeline).items() if outcome == "broken"}


def moving(timeline: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    motions: list[dict[str, Any]] = timeline[0]["pictures"][0]["motions"]
    return next(motion for motion in motions if motion["type"] == kind)


def test_all_rules_hold_whatever_an_author_asks_for(timeline: list[dict[str, Any]]) -> None:
    assert outcomes(timeline) == dict.fromkeys(RULES, "ok")
    assert moving(timeline, "zoom")["factor"] == 1.08
    assert moving(timeline, "pan")["way"] == 0.05


def test_a_zoom_too_far_or_in_too_short_a_step_is_found(timeline: list[dict[str, Any]]) -> None:
    moving(timeline, "zoom")["factor"] = 1.1
    assert broken(timeline) == {"zoom"}
    moving(timeline, "zoom")["factor"] = 1.02
    assert broken(timeline) == {"zoom"}
    moving(timeline, "zoom")["factor"] = 1.06
    timeline[0]["durationSec"] = 2.4
    assert broken(timeline) == {"zoom"}


@pytest.mark.parametrize("kind", ["zoom", "pan"])
def test_a_way_that_is_too_long_is_found(timeline: list[dict[str, Any]], kind: str) -> None:
    moving(timeline, kind)["way"] = 0.06
    assert broken(timeline) == {"pan"}


def test_a_fourth_motion_at_once_is_found_and_a_soft_slide_is_one(
    timeline: list[dict[str, Any]],
) -> None:
    pulse = {"type": "pulse", "startSec": 0.2, "endSec": 0.5, "factor": 1.04}
    timeline[0]["motions"] = [pulse]
    assert broken(timeline) == {"motions-at-once"}
    timeline[0]["motions"] = [pulse | {"startSec": 2.5, "endSec": 3}]
    assert broken(timeline) == set()


def test_a_crossfade_of_another_length_is_broken_unless_the_author_gave_it(
    timeline: list[dict[str, Any]],
) -> None:
    timeline[1]["transition"]["durationSec"] = 0.7
    assert outcomes(timeline)["crossfade"] == "broken"
    timeline[1]["transition"]["given"] = True
    assert outcomes(timeline)["crossfade"] == "warning"
    timeline[1]["transition"] = {"in": "fade", "durationSec": 2}
    assert outcomes(timeline)["crossfade"] == "not applicable"


def test_a_picture_at_the_edge_is_broken_unless_the_author_put_it_there(
    timeline: list[dict[str, Any]],
) -> None:
    picture = timeline[0]["pictures"][0]
    picture["box"]["x"] = 0.02
    assert outcomes(timeline)["picture-safe-area"] == "broken"
    picture["placed"] = "given"
    assert outcomes(timeline)["picture-safe-area"] == "warning"
    picture["placed"], timeline[0]["layout"] = "layout", "full-bleed"
    assert outcomes(timeline)["picture-safe-area"] == "warning"


def test_a_step_that_is_too_short_for_its_words_is_found(timeline: list[dict[str, Any]]) -> None:
    assert (timeline[1]["words"], timeline[1]["headed"]) == (4, True)
    timeline[1]["durationSec"] = 4 + 4 * 0.15
    assert broken(timeline) == {"step-duration"}
    timeline[1]["durationSource"] = "given"
    assert outcomes(timeline)["step-duration"] == "not applicable"


def test_an_earlier_manifest_tells_nothing() -> None:
    old = {"stepId": "a", "durationSec": 1.0, "durationSource": "estimate"}
    assert set(outcomes([old]).values()) == {"not applicable"}
