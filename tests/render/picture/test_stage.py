from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.render.model.storyboard import Storyboard
from app.render.model.style import contrast, luminance
from app.render.picture.compose import Compositor, Run, runs
from app.render.picture.stage import Stage
from tests.render.golden import art
from tests.render.requests import storyboard_of

WORDS = {"title": "Set up the board", "body": "Deal five cards to each player."}


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, Path]:
    return art(tmp_path)


def film(*steps: dict[str, Any], pictures: dict[str, Path], size: str = "320x180") -> Storyboard:
    given = [{"durationSec": 3, **step} for step in steps]
    request = {"steps": given, "assets": [], "audio": {}, "options": {"resolution": size}}
    payload = {"previewRequest": request, "dryRun": False}
    return storyboard_of(payload, pictures)


def moving(*motions: dict[str, Any], asset: str = "board", **visual: Any) -> dict[str, Any]:
    return {**WORDS, "visuals": [{"assetId": asset, "motions": list(motions), **visual}]}


def far(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_what_moves_is_single_frames_and_what_stands_is_one_run(pictures: dict[str, Path]) -> None:
    fade = {"type": "fade", "startSec": 1, "endSec": 2}
    board = film(moving(fade), pictures=pictures)
    found = runs(board)
    assert found[0] == Run(0, 0, 31)
    assert found[-1] == Run(0, 60, 30)
    assert [run.frames for run in found[1:-1]] == [1] * 29


def test_a_motion_that_changes_nothing_is_one_run(pictures: dict[str, Path]) -> None:
    still = {"type": "fade", "from": 1, "to": 1}
    assert len(runs(film(moving(still), pictures=pictures))) == 1


def test_frames_of_one_run_are_alike_and_neighbours_differ(pictures: dict[str, Path]) -> None:
    callout = {"label": "Here", "target": {"x": 0.7, "y": 0.4}, "appearSec": 1}
    step = {**moving({"type": "slide", "endSec": 0.5}), "callouts": [callout],
            "motion": {"type": "pulse", "startSec": 2, "endSec": 3}}  # fmt: skip
    board = film(WORDS, {**step, "transition": {"in": "crossfade"}}, pictures=pictures)
    compositor = Compositor(board)
    frames = [compositor.picture(Run(1, 90 + frame, 1)) for frame in range(90)]
    for run in runs(board)[1:]:
        first = run.start_frame - 90
        assert all(far(frames[first], frames[first + n]) == 0 for n in range(run.frames))
        if first:
            assert far(frames[first], frames[first - 1]) > 0


def test_lettering_over_what_moves_looks_as_it_does_over_what_stands(
    pictures: dict[str, Path],
) -> None:
    still = film({**WORDS, "visuals": [{"assetId": "board"}]}, pictures=pictures)
    gone = film(moving({"type": "fade", "from": 1, "to": 1}), pictures=pictures)
    assert far(Stage(still, 0).frame(0), Stage(gone, 0).frame(0)) <= 2


def test_lettering_with_its_panel_looks_the_same_on_a_plate(pictures: dict[str, Path]) -> None:
    back = {**WORDS, "background": {"assetId": "board"}}
    corner = {"x": 0.95, "y": 0.95, "width": 0.05, "height": 0.05}
    tiny = {"assetId": "token", "placement": corner}
    still = film({**back, "visuals": [tiny]}, pictures=pictures)
    shown = {**tiny, "motions": [{"type": "fade", "from": 1, "to": 1}]}
    moves = film({**back, "visuals": [shown]}, pictures=pictures)
    assert far(Stage(still, 0).frame(0), Stage(moves, 0).frame(0)) <= 2


@pytest.mark.parametrize(
    "step",
    [
        {"background": {"assetId": "board"}, "motion": {"type": "ken_burns"}},
        {"layout": {"mode": "full-bleed"}, **moving({"type": "zoom", "to": 1.08})},
        moving({"type": "slide", "endSec": 3, "from": {"x": 0.9, "y": 0.9}},
               placement={"x": 0.0, "y": 0.0, "width": 0.7, "height": 0.7}),
    ],
    ids=["camera", "full-bleed", "slide"],
)  # fmt: skip
def test_text_can_be_read_whatever_moves_behind_it(
    pictures: dict[str, Path], step: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    board = film({**WORDS, **step}, pictures=pictures, size="640x360")
    times = range(0, 90, 11)
    inked = [Stage(board, 0).frame(time) for time in times]
    monkeypatch.setattr("app.render.picture.lettering.draw_block", lambda *_, **__: None)
    bare = [Stage(board, 0).frame(time) for time in times]
    for one, other in zip(inked, bare, strict=True):
        changed = (one != other).any(axis=2)
        colours, counts = np.unique(one[changed], axis=0, return_counts=True)
        ink = brightness(colours[counts.argmax()])
        grounds = np.unique(other[changed], axis=0)
        assert min(contrast(ink, brightness(ground)) for ground in grounds) >= 7


def brightness(pixel: NDArray[np.uint8]) -> float:
    red, green, blue = map(int, pixel)
    return luminance((red, green, blue))


def test_a_panel_beside_the_picture_is_not_covered_again(pictures: dict[str, Path]) -> None:
    split = {**WORDS, "layout": {"mode": "split-teaching"}, "visuals": [{"assetId": "board"}]}
    still = film(split, pictures=pictures)
    zoomed = film({**split, "motion": {"type": "zoom"}}, pictures=pictures)
    one, other = Stage(still, 0).frame(0), Stage(zoomed, 0).frame(0)
    assert far(one[:, :100], other[:, :100]) <= 2


@pytest.mark.parametrize("kind", ["zoom", "pan", "ken_burns", "focus_zoom"])
def test_a_picture_that_fills_the_frame_fills_it_in_every_frame(
    pictures: dict[str, Path], kind: str
) -> None:
    motion = {"type": kind, "from": {"x": 0.1, "y": 0.9}, "to": {"x": 1, "y": 0}}
    visual = {"assetId": "board", "motions": [motion]}
    step = {"background": {"color": "#ff00ff"}, "layout": {"mode": "full-bleed"},
            "visuals": [visual]}  # fmt: skip
    board = film(step, pictures=pictures)
    stage = Stage(board, 0)
    for time in range(0, 90, 8):
        assert not (stage.frame(time) == (255, 0, 255)).all(axis=2).any()


def test_a_zoom_of_an_opaque_picture_stays_in_its_box(pictures: dict[str, Path]) -> None:
    box = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}
    visual = {"assetId": "board", "fit": "cover", "placement": box, "motions": [{"type": "zoom"}]}
    step = {"background": {"color": "#203040"}, "visuals": [visual]}
    board = film(step, pictures=pictures)
    frame = Stage(board, 0).frame(89)
    still = Stage(film(step | {"visuals": [visual | {"motions": []}]}, pictures=pictures), 0).frame(
        0
    )
    outside = np.ones((180, 320), bool)
    outside[45:135, 80:240] = False
    assert (frame[outside] == still[outside]).all(), "shadow and mount do not move"
    assert (frame[45:135, 80:240] != still[45:135, 80:240]).any()
    for corner in ((45, 80), (45, 239), (134, 80), (134, 239)):
        assert (frame[corner] == still[corner]).all(), "corners stay round"


def test_a_cut_out_picture_is_not_cut_when_it_grows(pictures: dict[str, Path]) -> None:
    box = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}
    pulse = {"type": "pulse", "to": 1.08, "endSec": 1}
    visual = {"assetId": "token", "placement": box, "motions": [pulse]}
    stage = Stage(film({"visuals": [visual]}, pictures=pictures), 0)
    rest, grown = stage.frame(0), stage.frame(15)
    ground = rest[0, 0]
    assert np.nonzero((grown != ground).any(axis=2))[0].min() < 45
    assert far(stage.frame(89), rest) == 0


def test_a_step_fades_and_slides_over_its_colour(pictures: dict[str, Path]) -> None:
    step = {"background": {"color": "#402030"}, "visuals": [{"assetId": "board"}]}
    fade = film({**step, "motion": {"type": "fade"}}, pictures=pictures)
    slide = film({**step, "motion": {"type": "slide"}}, pictures=pictures)
    for board in (fade, slide):
        assert (Stage(board, 0).frame(0) == (0x40, 0x20, 0x30)).all()
        plain = film(step, pictures=pictures)
        assert far(Stage(board, 0).frame(89), Stage(plain, 0).frame(89)) == 0


def test_a_highlight_is_seen_in_the_accent_and_goes(pictures: dict[str, Path]) -> None:
    step = {**moving({"type": "highlight", "endSec": 2}), "accentColor": "#00ff00"}
    stage = Stage(film(step, pictures=pictures), 0)
    assert (stage.frame(30) == (0, 255, 0)).all(axis=2).sum() > 100
    assert far(stage.frame(0), stage.frame(89)) == 0


def test_the_highlight_of_a_step_is_that_of_its_pictures(pictures: dict[str, Path]) -> None:
    step = {"visuals": [{"assetId": "board"}], "motion": {"type": "highlight", "endSec": 2}}
    board = film({**step, "accentColor": "#00ff00"}, pictures=pictures)
    assert (Stage(board, 0).frame(30) == (0, 255, 0)).all(axis=2).sum() > 100


def test_a_motion_that_has_no_picture_is_told(pictures: dict[str, Path]) -> None:
    board = film({**WORDS, "motion": {"type": "zoom"}}, pictures=pictures)
    assert board.warnings == ("step step-1: has no picture that its zoom could show",)
    assert len(runs(board)) == 1


def test_frames_do_not_depend_on_the_order_in_which_they_are_drawn(
    pictures: dict[str, Path],
) -> None:
    steps = [
        {**moving({"type": "zoom"}), "transition": {"in": "slide-left"}},
        {"background": {"assetId": "board"}, **WORDS, "transition": {"in": "crossfade"}},
        {**moving({"type": "pulse"}, asset="token"), "transition": {"in": "fade"},
         "callouts": [{"kind": "arrow", "target": {"x": 0.5, "y": 0.5}}]},
    ]  # fmt: skip
    board = film(*steps, pictures=pictures, size="160x90")
    shown = runs(board)
    forwards, backwards = Compositor(board), Compositor(board)
    there = [forwards.picture(run).tobytes() for run in shown]
    back = [backwards.picture(run).tobytes() for run in reversed(shown)]
    assert there == back[::-1]


def test_a_transition_begins_with_the_last_frame_of_the_step_before(
    pictures: dict[str, Path],
) -> None:
    ending = {"background": {"color": "#c8c8c8"}}
    step = {"background": {"color": "#000000"}, "transition": {"in": "crossfade"}}
    board = film(ending, step, pictures=pictures)
    compositor = Compositor(board)
    levels = [int(compositor.picture(Run(1, 90 + frame, 1))[0, 0, 0]) for frame in range(17)]
    assert levels[:2] == [188, 175]
    assert levels[14:] == [12, 0, 0]
