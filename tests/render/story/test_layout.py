from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from app.render.model.areas import Rect, safe_area, unit
from app.render.model.storyboard import Box, Picture, PictureLayer, Position, Span, TextLayer
from app.render.story import layout
from app.render.story.layout import Layout, PlacedText

SIZES = [(1280, 720), (1920, 1080), (720, 1280), (160, 90), (3840, 2160), (1080, 1080)]
LOREM = "Each player draws one card from the deck and places it face up. "
WHOLE = Span(0, 100)


def text(
    role: str,
    words: str,
    position: Position = "auto",
    *,
    box: Box | None = None,
    span: Span = WHOLE,
) -> TextLayer:
    return TextLayer(role, words, position, span, box)


def picture(box: Box | None = None, layer: int = 0) -> PictureLayer:
    return PictureLayer(Picture("p", Path("p.png")), box, "contain", layer, WHOLE)


def place(
    texts: list[TextLayer], *pictures: PictureLayer, size: tuple[int, int] = (1280, 720)
) -> Layout:
    return layout.place(texts, pictures, width=size[0], height=size[1])


def inside(inner: Rect, outer: Rect) -> bool:
    return (
        inner.x >= outer.x - 1
        and inner.y >= outer.y - 1
        and inner.right <= outer.right + 1
        and inner.bottom <= outer.bottom + 1
    )


def apart(placed: tuple[PlacedText, ...]) -> bool:
    return not any(one.ink.inset(0.5).overlaps(two.ink) for one, two in combinations(placed, 2))


SCENES = {
    "card": [text("title", "Stellar Drift", "center"), text("body", LOREM, "bottom")],
    "step": [text("badge", "STEP 1", "top"), text("heading", "Setup", "upper"),
             text("body", LOREM * 7, "center")],
    "all roles": [text(role, f"Text as {role}") for role in
                  ("badge", "title", "subtitle", "body", "callout", "warning", "caption")],
    "word": [text("heading", "H" * 160, "upper"), text("body", "w" * 200, "center")],
    "arabic": [text("heading", "مرحبا", "upper"), text("body", "ضع اللوحة في منتصف الطاولة " * 5)],
    "two bodies": [text("body", LOREM * 4, "center"), text("callout", LOREM * 2, "center")],
    "brand": [text("brand", "Mobius", "brand-title"), text("subtitle", "Games", "brand-subtitle")],
    "panel": [text("heading", "Panel", "panel-heading"), text("body", LOREM, "panel-body"),
              text("reference", "Rules, p. 4", "reference-bottom")],
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCENES)
def test_texts_never_overlap_nor_leave_the_safe_area(name: str, size: tuple[int, int]) -> None:
    found = place(SCENES[name], size=size)
    assert apart(found.texts)
    for placed in found.texts:
        assert inside(placed.ink, safe_area(*size))
        assert placed.block.size >= placed.style.minimum * unit(*size) - 1e-6


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_text_and_unplaced_pictures_stay_apart(size: tuple[int, int], count: int) -> None:
    texts = [text("heading", "Setup", "upper"), text("body", LOREM * 2, "center")]
    found = place(texts, *[picture() for _ in range(count)], size=size)
    for placed in found.texts:
        assert not any(placed.ink.overlaps(rect) for _, rect in found.pictures)
        assert inside(placed.ink, safe_area(*size))
    for _, rect in found.pictures:
        assert inside(rect, safe_area(*size, 0.05))
    assert not any(a.inset(0.5).overlaps(b) for (_, a), (_, b) in combinations(found.pictures, 2))


def test_pictures_without_text_fill_the_picture_safe_area() -> None:
    ((_, rect),) = place([], picture()).pictures
    assert rect == safe_area(1280, 720, 0.05)


@pytest.mark.parametrize(
    "box", [Box(0, 0, 0.4, 1), Box(0.6, 0, 0.4, 1), Box(0, 0, 1, 0.4), Box(0, 0.6, 1, 0.4)]
)
def test_text_goes_where_a_placed_picture_leaves_room(box: Box) -> None:
    found = place([text("heading", "Setup"), text("body", LOREM)], picture(box))
    rect = found.pictures[0][1]
    assert not any(placed.ink.overlaps(rect) for placed in found.texts)


def test_text_lies_over_a_picture_that_leaves_no_room() -> None:
    found = place([text("body", LOREM, "center")], picture(Box(0, 0, 1, 1)))
    assert inside(found.texts[0].ink, safe_area(1280, 720))


def test_pictures_come_from_the_lowest_layer_to_the_highest() -> None:
    high, low, middle = (picture(Box(0, 0, 1, 1), layer) for layer in (5, 1, 3))
    assert [layer.layer for layer, _ in place([], high, low, middle).pictures] == [1, 3, 5]


def test_bands_stand_in_their_order() -> None:
    texts = [text("body", "low", "bottom"), text("body", "mid", "center"),
             text("heading", "high", "upper"), text("badge", "first", "top")]  # fmt: skip
    tops = [placed.ink.y for placed in place(texts).texts]
    assert tops == sorted(tops, reverse=True)


def test_a_title_alone_stands_a_little_above_the_middle() -> None:
    (placed,) = place([text("title", "The End")]).texts
    assert placed.centred
    assert placed.ink.y + placed.ink.height / 2 == pytest.approx(0.47 * 720, abs=10)


def test_texts_that_follow_each_other_share_slot_and_size() -> None:
    texts = [text("body", "Short.", "center", span=Span(0, 50)),
             text("body", LOREM * 12, "center", span=Span(50, 100))]  # fmt: skip
    first, second = place(texts).texts
    assert first.rect == second.rect
    assert first.block.size == second.block.size


def test_texts_that_are_seen_together_do_not() -> None:
    texts = [text("body", "One.", "center", span=Span(0, 51)),
             text("body", "Two.", "center", span=Span(50, 100))]  # fmt: skip
    assert apart(place(texts).texts)


@pytest.mark.parametrize(
    "box", [Box(0.3, 0.3, 0.4, 0.4), Box(0, 0, 0.5, 0.1), Box(0.9, 0.9, 0.1, 0.1), Box(0, 0, 1, 1)]
)
@pytest.mark.parametrize("size", SIZES)
def test_a_text_in_a_box_stays_in_it_and_in_the_safe_area(box: Box, size: tuple[int, int]) -> None:
    (placed,) = place([text("body", LOREM, box=box)], size=size).texts
    assert inside(placed.ink, safe_area(*size))
    assert inside(placed.ink, placed.rect)


def test_a_long_text_in_a_small_box_is_paged() -> None:
    layer = text("body", LOREM * 10, box=Box(0.1, 0.1, 0.5, 0.2))
    (parts,) = layout.pages([layer], [], width=1280, height=720)
    assert len(parts) > 1
    assert " ".join(parts).split() == (LOREM * 10).split()


def test_what_fits_is_not_paged() -> None:
    for texts in SCENES.values():
        parts = layout.pages(texts, [], width=1280, height=720)
        assert all(len(pages) == 1 for pages in parts)


def test_a_text_that_was_not_paged_shrinks_below_its_minimum_rather_than_overflow() -> None:
    (placed,) = place([text("body", LOREM * 60)], size=(1280, 720)).texts
    assert placed.block.size < placed.style.minimum * unit(1280, 720)
    assert inside(placed.ink, safe_area(1280, 720))


def test_headings_hang_from_the_right_beside_right_to_left_text() -> None:
    texts = [text("badge", "STEP 1", "top"), text("body", "ضع اللوحة في منتصف الطاولة " * 6)]
    badge, body = place(texts).texts
    assert badge.from_right
    assert badge.ink.right == pytest.approx(body.rect.right)


def test_a_number_stands_in_a_circle() -> None:
    texts = [text("step", "3", "top"), text("body", LOREM, "center")]
    number = place(texts).texts[0]
    assert number.ink.width == pytest.approx(number.ink.height)


def test_list_items_start_at_the_side() -> None:
    assert not place([text("body", "• Draw a card.", "center")]).texts[0].centred
    assert place([text("body", "Draw a card.", "center")]).texts[0].centred
