from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.render.model.areas import Rect
from app.render.picture import planes
from app.render.story.motion import STILL, Affine

GREY = (100, 100, 100)
PLACE = Rect(10, 5, 20, 10)


def frame(colour: tuple[int, int, int] = GREY) -> NDArray[np.uint8]:
    canvas = np.empty((40, 60, 3), np.uint8)
    canvas[:] = colour
    return canvas


def patch(
    colour: str = "#ff0000", *, mode: str = "RGB", size: tuple[int, int] = (20, 10)
) -> NDArray[np.uint8]:
    return planes.plane(Image.new(mode, size, colour))


def test_colours_are_multiplied_by_alpha() -> None:
    assert tuple(patch("#ff804080", mode="RGBA")[0, 0]) == (128, 64, 32, 128)
    assert tuple(patch("#ff8040")[0, 0]) == (255, 128, 64, 255)


def test_what_is_opaque_covers_exactly_its_place() -> None:
    canvas = frame()
    planes.lay(canvas, patch(), PLACE)
    assert (canvas[5:15, 10:30] == (255, 0, 0)).all()
    canvas[5:15, 10:30] = GREY
    assert (canvas == GREY).all()


@pytest.mark.parametrize("place", [Rect(-5, -3, 20, 10), Rect(50, 35, 20, 10), Rect(90, 0, 20, 10)])
def test_what_reaches_out_of_the_frame_is_cut(place: Rect) -> None:
    canvas = frame()
    planes.lay(canvas, patch(), place)
    red = (canvas == (255, 0, 0)).all(axis=2)
    left, top = max(0, int(place.x)), max(0, int(place.y))
    expected = max(0, min(60, int(place.right)) - left) * max(0, min(40, int(place.bottom)) - top)
    assert red.sum() == expected


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("opacity", [0, 64, 128, 200, 255])
def test_opacity_mixes_as_pillow_does(mode: str, opacity: int) -> None:
    rng = np.random.default_rng(3)
    colours = rng.integers(0, 256, (10, 20, len(mode)), np.uint8)
    image = Image.fromarray(colours, mode)
    canvas = rng.integers(0, 256, (40, 60, 3), np.uint8)
    expected = Image.fromarray(canvas)
    alpha = image.getchannel("A") if mode == "RGBA" else Image.new("L", image.size, 255)
    expected.paste(image.convert("RGB"), (10, 5), alpha.point(lambda v: round(v * opacity / 255)))
    planes.lay(canvas, planes.plane(image), PLACE, opacity=opacity)
    assert np.abs(canvas.astype(int) - np.asarray(expected).astype(int)).max() <= 3


def test_moving_by_nothing_is_laying() -> None:
    pixels = planes.plane(Image.effect_noise((20, 10), 80).convert("RGB"))
    one, other = frame(), frame()
    planes.lay(one, pixels, PLACE)
    planes.move(other, pixels, PLACE, STILL)
    assert (one == other).all()


def test_a_larger_raster_fills_the_same_place() -> None:
    canvas = frame()
    planes.move(canvas, patch(size=(30, 15)), PLACE, STILL, window=PLACE)
    assert (canvas[5:15, 10:30] == (255, 0, 0)).all()
    assert (canvas[4] == GREY).all()


def test_half_a_pixel_is_half_a_pixel() -> None:
    canvas = frame((0, 0, 0))
    planes.move(canvas, patch(), PLACE, Affine(1.0, 0.5, 0.0))
    assert abs(int(canvas[8, 10, 0]) - 128) <= 2
    assert abs(int(canvas[8, 30, 0]) - 128) <= 2
    assert (canvas[5:15, 11:30, 0] == 255).all()


def test_a_zoom_stays_in_its_window_and_fills_it() -> None:
    canvas = frame()
    planes.move(canvas, patch(), PLACE, Affine(1.08, -0.8, -0.4), window=PLACE)
    assert (canvas[5:15, 10:30] == (255, 0, 0)).all()
    canvas[5:15, 10:30] = GREY
    assert (canvas == GREY).all()


def test_what_is_outside_or_unseen_changes_nothing() -> None:
    canvas = frame()
    planes.move(canvas, patch(), PLACE, Affine(1.0, 500.0, 0.0))
    planes.move(canvas, patch(), PLACE, STILL, opacity=0)
    assert (canvas == GREY).all()


def middles(pixels: NDArray[np.uint8]) -> tuple[float, float]:
    weights = pixels[..., 0].astype(float)
    rows, columns = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return float((columns * weights).sum() / weights.sum()), float(
        (rows * weights).sum() / weights.sum()
    )


def test_a_slow_zoom_never_jitters() -> None:
    """A disc's middle stays within a tenth of a pixel; whole pixels would be half of one off."""
    large = Image.new("RGB", (1280, 720))
    ImageDraw.Draw(large).ellipse((1000, 500, 1100, 600), fill="white")
    pixels = planes.plane(large.resize((320, 180), Image.Resampling.LANCZOS))
    place, seen = Rect(0, 0, 320, 180), []
    for number in range(100):
        scale = 1 + 0.06 * number / 99
        canvas = np.zeros((180, 320, 3), np.uint8)
        way = Affine(scale, 160 * (1 - scale), 90 * (1 - scale))
        planes.move(canvas, pixels, place, way, window=place)
        seen.append(middles(canvas))
    xs, ys = np.array(seen).T
    wanted = np.linspace(0, 1, 100)
    for values in (xs, ys):
        line = values[0] + (values[-1] - values[0]) * wanted
        assert np.abs(values - line).max() < 0.1
        assert (np.diff(values) > 0).all()


def test_frames_mix_evenly() -> None:
    mixed = planes.mixed(frame((0, 0, 0)), frame((200, 100, 50)), 0.5)
    assert tuple(mixed[0, 0]) == (100, 50, 25)


@pytest.mark.parametrize(
    ("share", "colour"), [(0.0, GREY), (0.5, (50, 150, 52)), (1.0, (0, 200, 4))]
)
def test_a_frame_goes_towards_a_colour(share: float, colour: tuple[int, int, int]) -> None:
    assert tuple(planes.towards(frame(), (0, 200, 4), share)[3, 3]) == colour


def test_a_moved_frame_leaves_a_colour_or_its_edges() -> None:
    way = Affine(1.0, 20.0, 0.0)
    assert tuple(planes.moved(frame(), way, (1, 2, 3), size=(60, 40))[0, 5]) == (1, 2, 3)
    assert tuple(planes.moved(frame(), way, None, size=(60, 40))[0, 5]) == GREY


def test_one_thread_is_used() -> None:
    planes.single_threaded()
    assert cv2.getNumThreads() == 1
