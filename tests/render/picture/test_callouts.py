from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.render.model.areas import Rect, safe_area
from app.render.model.storyboard import Box, Callout, CalloutKind, Motion, Span
from app.render.picture.callouts import Mark, marks

SIZES = [(640, 360), (360, 640)]
ACCENT = (250, 200, 0)


def callout(kind: CalloutKind, label: str = "", *, target: Box | None = None) -> Callout:
    appears = Motion("fade", Span(0, 6), "linear")
    return Callout(kind, label, target or Box(0.4, 0.4, 0.2, 0.2), appears)


def drawn(
    *callouts: Callout, size: tuple[int, int] = (640, 360), taken: tuple[Rect, ...] = ()
) -> list[Mark]:
    return list(marks(callouts, width=size[0], height=size[1], accent=ACCENT, taken=taken))


def seen(mark: Mark) -> NDArray[np.uint8]:
    """The mark's alpha in a frame of 640x360."""
    alpha = np.zeros((360, 640), np.uint8)
    place = mark.place
    x, y = int(place.x), int(place.y)
    alpha[y : y + int(place.height), x : x + int(place.width)] = mark.pixels[..., 3]
    return alpha


def test_a_box_goes_around_its_target_and_leaves_it_free() -> None:
    alpha = seen(drawn(callout("box"))[0])
    assert not alpha[144:216, 256:384].any()
    assert all(alpha[180, side].any() for side in (slice(240, 256), slice(384, 400)))


def test_a_box_around_a_point_has_a_size() -> None:
    (mark,) = drawn(callout("box", target=Box(0.5, 0.5, 0, 0)))
    assert mark.place.width == pytest.approx(mark.place.height, abs=1)
    assert 30 < mark.place.width < 60
    assert mark.place.x + mark.place.width / 2 == pytest.approx(320, abs=1)


def test_an_arrow_ends_at_the_edge_of_its_target() -> None:
    alpha = seen(drawn(callout("arrow"))[0])
    assert alpha[130:144, 320].all()
    assert not alpha[148:216, 256:384].any()


def test_an_arrow_comes_from_where_there_is_room() -> None:
    (mark,) = drawn(callout("arrow", target=Box(0.4, 0.0, 0.2, 0.1)))
    assert mark.place.y >= 0.1 * 360 - 2


def test_a_pill_stands_on_its_target_and_is_a_dot_without_a_label() -> None:
    for label in ("12", ""):
        place = drawn(callout("pill", label))[0].place
        assert (place.x + place.width / 2, place.y + place.height / 2) == pytest.approx(
            (320, 180), abs=2
        )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["box", "arrow", "pill"])
@pytest.mark.parametrize("spot", [(0, 0), (1, 0), (0.5, 1), (0, 0.5), (1, 1)])
def test_a_label_stays_in_the_safe_area(
    kind: CalloutKind, spot: tuple[float, float], size: tuple[int, int]
) -> None:
    target = Box(spot[0], spot[1], 0, 0)
    (mark,) = drawn(callout(kind, "Wwwwwwww", target=target), size=size)
    label, safe = mark.label, safe_area(*size)
    assert label is not None
    assert label.x >= safe.x - 1
    assert label.y >= safe.y - 1
    assert label.right <= safe.right + 1
    assert label.bottom <= safe.bottom + 1


def test_labels_leave_texts_and_each_other_free() -> None:
    text = Rect(200, 90, 240, 50)
    found = drawn(*[callout("box", f"No. {n}") for n in range(3)], taken=(text,))
    labels = [mark.label for mark in found if mark.label is not None]
    assert len(labels) == 3
    assert not any(label.overlaps(text) for label in labels)
    assert not any(one.overlaps(other) for one, other in combinations(labels, 2))


def test_a_callout_without_words_has_no_label() -> None:
    assert drawn(callout("arrow", " "))[0].label is None


def test_colours_are_multiplied_by_alpha() -> None:
    for mark in drawn(callout("arrow", "Deck")):
        assert (mark.pixels[..., :3].max(axis=2) <= mark.pixels[..., 3].astype(int) + 1).all()


def test_the_accent_is_seen() -> None:
    (mark,) = drawn(callout("arrow"))
    assert (mark.pixels == (*ACCENT, 255)).all(axis=2).any()
