from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.render.model.parsing import colour_of
from app.render.model.storyboard import Arrangement, Background, Box
from app.render.model.themes import NIGHT
from app.render.story.scenes import Scene, read_scene
from tests.render.requests import step_of

ASSETS = {"pic": Path("pic.png"), "back": Path("back.png")}


def scene(**step: Any) -> Scene:
    given = step_of(ASSETS, **step)
    return read_scene(replace(given, number=3) if given.number else given)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("white", ((255, 255, 255), 1.0)),
        ("black", ((0, 0, 0), 1.0)),
        ("#0F172a", ((15, 23, 42), 1.0)),
        ("#ff000080", ((255, 0, 0), 128 / 255)),
    ],
)
def test_colours_are_read(value: str, expected: tuple[tuple[int, int, int], float]) -> None:
    assert colour_of(value) == expected


def test_title_and_body_become_heading_and_body() -> None:
    texts = scene(title="Setup", body="Place the board.").texts
    assert [(t.role, t.text, t.position) for t in texts] == [
        ("heading", "Setup", "auto"),
        ("body", "Place the board.", "auto"),
    ]


def test_a_title_alone_is_a_card() -> None:
    (text,) = scene(title="The End").texts
    assert (text.role, text.position) == ("title", "auto")


def test_a_numbered_step_shows_its_number_and_does_not_speak_it() -> None:
    found = scene(type="numbered", text="Draw a card.")
    assert [(t.role, t.text) for t in found.texts] == [("step", "3"), ("body", "Draw a card.")]
    assert found.spoken == "Draw a card."


@pytest.mark.parametrize(("kind", "mark"), [("bulleted", "• "), ("asterisk", "* ")])
def test_a_list_item_has_its_mark_which_is_not_spoken(kind: str, mark: str) -> None:
    found = scene(type=kind, text="Draw a card.")
    assert found.texts[0].text == f"{mark}Draw a card."
    assert found.spoken == "Draw a card."


def test_overlays_are_taken_over_one_by_one() -> None:
    overlay = {
        "role": "heading", "text": "Hi", "position": "upper", "startSec": 1, "endSec": 2,
        "color": "#010203", "placement": {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4},
    }  # fmt: skip
    (text,) = scene(overlays=[overlay]).texts
    assert (text.role, text.text, text.position) == ("heading", "Hi", "upper")
    assert (text.start, text.end, text.colour) == (1, 2, (1, 2, 3))
    assert text.box == Box(0.1, 0.2, 0.3, 0.4)


def test_a_bare_overlay_is_body_and_on_a_card_a_title() -> None:
    assert scene(overlays=[{"text": "x"}]).texts[0].role == "body"
    assert scene(type="intro", overlays=[{"text": "x"}]).texts[0].role == "title"


def test_blank_texts_are_left_out() -> None:
    assert scene(title="  ", body=" ", overlays=[{"text": " "}]).texts == ()


def test_the_narration_is_what_is_spoken() -> None:
    assert scene(title="A", body="B", narration=" Said. ").spoken == "Said."


def test_without_a_narration_all_but_badges_is_spoken() -> None:
    overlays = [
        {"role": "badge", "text": "STEP 1"},
        {"role": "heading", "text": "Setup"},
        {"role": "body", "text": "Place it!"},
        {"role": "reference", "text": "p. 4"},
    ]
    assert scene(overlays=overlays).spoken == "Setup. Place it!"


def test_chinese_and_japanese_sentences_end_as_they_do_there() -> None:
    assert scene(title="準備", body="ボードを置く。").spoken == "準備。ボードを置く。"
    assert scene(title="「準備」", body="置く").spoken == "「準備」。置く"
    assert scene(title="준비", body="놓으세요.").spoken == "준비. 놓으세요."


def test_the_accent_is_given_or_the_badges_colour() -> None:
    badge = {"role": "badge", "text": "NEW", "color": "#112233"}
    assert scene(overlays=[badge]).accent == (0x11, 0x22, 0x33)
    assert scene(overlays=[badge], accentColor="#445566").accent == (0x44, 0x55, 0x66)


def test_a_background_has_colour_picture_and_style() -> None:
    found = scene(background={"color": "#000000", "assetId": "back", "style": "blur-fill"})
    assert found.background.colour == (0, 0, 0)
    assert found.background.style == "blur-fill"
    assert found.background.picture is not None
    assert found.background.picture.path == Path("back.png")


def test_a_translucent_background_lies_on_the_ground_of_the_theme() -> None:
    background = scene(background={"color": "#ffffff00"}).background
    assert (background.colour, background.themed) == (NIGHT.ground, False)
    assert scene().background == Background(NIGHT.ground, themed=True)


def test_the_layout_is_taken_over() -> None:
    given = {"mode": "split-teaching", "imageSide": "left", "panelWidthRatio": 0.3}
    assert scene(layout=given).arrangement == Arrangement("split-teaching", "left", 0.3)
    assert scene().arrangement == Arrangement()


@pytest.mark.parametrize(("mode", "fit"), [("auto", "contain"), ("full-bleed", "cover")])
def test_a_picture_is_shown_whole_unless_it_fills_the_frame(mode: str, fit: str) -> None:
    (picture,) = scene(visuals=[{"assetId": "pic"}], layout={"mode": mode}).pictures
    assert (picture.box, picture.fit) == (None, fit)


def test_pictures_and_ground_have_the_focus() -> None:
    focus = {"x": 0.1, "y": 0.2, "w": 0.3}
    found = scene(visuals=[{"assetId": "pic"}], layout={"visualFocus": focus})
    assert found.pictures[0].focus == found.background.focus == Box(0.1, 0.2, 0.3, 0.0)


def test_text_only_hides_pictures_that_were_not_placed_and_says_so() -> None:
    box = {"x": 0.5, "y": 0.5, "width": 0.2, "height": 0.2}
    visuals = [{"assetId": "pic"}, {"assetId": "back", "placement": box}]
    found = scene(visuals=visuals, layout={"mode": "text-only"})
    assert [picture.picture.asset_id for picture in found.pictures] == ["back"]
    assert found.notes == ("is text-only: 1 of its pictures are not shown",)


def test_over_a_full_bleed_texts_stand_at_the_foot_unless_placed_by_hand() -> None:
    overlays = [
        {"text": "a"},
        {"text": "b", "position": "center"},
        {"text": "c", "role": "badge", "position": "auto"},
    ]
    found = scene(title="T", body="B", overlays=overlays, layout={"mode": "full-bleed"})
    assert [draft.position for draft in found.texts] == [
        "bottom",
        "bottom",
        "bottom",
        "center",
        "auto",
    ]


@pytest.mark.parametrize("where", ["overlay", "accent"])
def test_a_translucent_colour_lies_on_the_ground(where: str) -> None:
    step: dict[str, Any] = {"background": {"color": "#000000"}}
    if where == "accent":
        assert scene(**step, accentColor="#ff800080").accent == (128, 64, 0)
    else:
        (text,) = scene(**step, overlays=[{"text": "x", "color": "#ff800080"}]).texts
        assert text.colour == (128, 64, 0)


def test_a_visuals_own_placement_wins() -> None:
    placement = {"x": 0.5, "y": 0.5, "width": 0.2, "height": 0.2}
    visual = {"assetId": "pic", "placement": placement, "layer": 4, "fit": "cover"}
    (picture,) = scene(visuals=[visual], layout={"mode": "image-left"}).pictures
    assert (picture.box, picture.layer, picture.fit) == (Box(0.5, 0.5, 0.2, 0.2), 4, "cover")
