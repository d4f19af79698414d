from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest

from app.render.model.areas import Rect, safe_area, unit
from app.render.model.storyboard import (
    Arrangement,
    LayoutMode,
    Picture,
    PictureLayer,
    Position,
    Side,
    Span,
    TextLayer,
)
from app.render.story import layout
from app.render.story.layout import Layout

SIZES = [(1280, 720), (720, 1280), (160, 90), (1080, 1080)]
BESIDE: list[LayoutMode] = [mode for mode in get_args(LayoutMode) if mode != "full-bleed"]
BODY = "Shuffle the cards and deal five to each player. Put the rest face down."
WHOLE = Span(0, 100)


def texts(*, body: str = BODY) -> list[TextLayer]:
    given: list[tuple[str, str, Position]] = [
        ("badge", "STEP 2", "top"), ("heading", "Set up", "upper"), ("body", body, "center"),
    ]  # fmt: skip
    return [TextLayer(role, words, position, WHOLE) for role, words, position in given]


def place(
    arrangement: Arrangement,
    *,
    size: tuple[int, int] = (1280, 720),
    pictures: int = 1,
    layers: list[TextLayer] | None = None,
) -> Layout:
    picture = PictureLayer(Picture("p", Path("p.png")), None, "contain", 0, WHOLE)
    shown = texts() if layers is None else layers
    return layout.place(
        shown, [picture] * pictures, width=size[0], height=size[1], arrangement=arrangement
    )


def inside(inner: Rect, outer: Rect) -> bool:
    return (
        inner.x >= outer.x - 1
        and inner.y >= outer.y - 1
        and inner.right <= outer.right + 1
        and inner.bottom <= outer.bottom + 1
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("mode", BESIDE)
def test_texts_and_pictures_of_every_mode_stay_apart_and_in_their_safe_areas(
    mode: LayoutMode, count: int, size: tuple[int, int]
) -> None:
    found = place(Arrangement(mode), pictures=count, size=size)
    for _, rect in found.pictures:
        assert inside(rect, safe_area(*size, 0.05))
    for text in found.texts:
        assert inside(text.ink, safe_area(*size))
        assert text.block.size >= text.style.minimum * unit(*size) - 1e-6
        assert not any(text.ink.overlaps(rect) for _, rect in found.pictures)
    assert not any(a.ink.overlaps(b.ink) for a, b in combinations(found.texts, 2))


@pytest.mark.parametrize("mode", get_args(LayoutMode))
def test_every_mode_can_do_without_pictures_and_without_texts(mode: LayoutMode) -> None:
    assert len(place(Arrangement(mode), pictures=0).texts) == 3
    ((_, rect),) = place(Arrangement(mode), layers=[]).pictures
    assert inside(rect, Rect(0, 0, 1280, 720))
    assert rect.height > 600


@pytest.mark.parametrize("mode", ["split-teaching", "center-focus"])
def test_long_texts_are_paged_into_the_room_that_the_mode_leaves(mode: LayoutMode) -> None:
    layers, given = texts(body=BODY * 12), Arrangement(mode)
    picture = PictureLayer(Picture("p", Path("p.png")), None, "contain", 0, WHOLE)
    parts = layout.pages(layers, [picture], width=1280, height=720, arrangement=given)[2]
    assert len(parts) > 1
    for part in parts:
        body = place(given, layers=texts(body=part)).texts[2]
        assert inside(body.ink, safe_area(1280, 720))
        assert body.block.size >= body.style.minimum * unit(1280, 720) - 1e-6


@pytest.mark.parametrize(
    "arrangement", [Arrangement("image-left"), Arrangement("auto", "left")], ids=["mode", "side"]
)
def test_a_picture_stands_at_the_side_that_is_asked_for(arrangement: Arrangement) -> None:
    found = place(arrangement)
    assert found.pictures[0][1].right < min(text.ink.x for text in found.texts)
    assert place(Arrangement("image-right")).pictures[0][1].x > 640


def test_image_top_stands_above_the_texts() -> None:
    found = place(Arrangement("image-top"))
    assert found.pictures[0][1].bottom < min(text.ink.y for text in found.texts)


def test_center_focus_stands_between_heading_and_body() -> None:
    found = place(Arrangement("center-focus"))
    picture, (_, heading, body) = found.pictures[0][1], found.texts
    assert heading.ink.bottom < picture.y < picture.bottom < body.ink.y
    assert heading.centred


def test_a_full_bleed_fills_the_frame() -> None:
    assert place(Arrangement("full-bleed")).pictures[0][1] == Rect(0, 0, 1280, 720)


@pytest.mark.parametrize(("side", "x"), [("right", 0.0), ("left", 0.7 * 1280)])
def test_the_panel_has_the_width_given_and_the_texts(side: Side, x: float) -> None:
    found = place(Arrangement("split-teaching", side, 0.3))
    assert found.panel is not None
    assert (found.panel.x, found.panel.width) == pytest.approx((x, 0.3 * 1280))
    assert all(inside(text.ink, found.panel) for text in found.texts)
    assert not found.panel.overlaps(found.pictures[0][1])


def test_an_upright_panel_lies_below_the_picture() -> None:
    found = place(Arrangement("split-teaching"), size=(720, 1280))
    assert found.panel is not None
    assert found.panel.width == 720
    assert found.pictures[0][1].bottom < found.panel.y


def test_without_a_picture_there_is_no_panel() -> None:
    assert place(Arrangement("split-teaching"), pictures=0).panel is None


def test_the_words_of_a_brand_stand_in_the_middle_below_its_logo() -> None:
    words = [TextLayer("brand", "Mobius", "brand-title", WHOLE)]
    found = place(Arrangement("brand"), layers=words)
    logo, ink = found.pictures[0][1], found.texts[0].ink
    assert logo.bottom < ink.y
    assert ink.x + ink.width / 2 == pytest.approx(640, abs=1)
