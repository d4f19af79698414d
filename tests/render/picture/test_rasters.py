from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.render.model.areas import Rect
from app.render.model.storyboard import Background, Box, Picture
from app.render.model.style import luminance
from app.render.model.themes import NIGHT
from app.render.picture.rasters import draw_split, fitted, ground, panel_colour


@pytest.fixture
def stripes(tmp_path: Path) -> Picture:
    """400x100: red, green, blue and white stripes of 100 pixels."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
    row = np.repeat(np.array(colours, np.uint8), 100, axis=0)
    Image.fromarray(np.repeat(row[None], 100, axis=0)).save(tmp_path / "stripes.png")
    return Picture("stripes", tmp_path / "stripes.png")


SQUARE = Rect(10, 20, 50, 50)


def test_cover_crops_around_the_middle(stripes: Picture) -> None:
    raster, place = fitted(stripes, SQUARE, "cover")
    assert (raster.size, place) == ((50, 50), SQUARE)
    assert raster.getpixel((2, 25)) == (0, 255, 0)
    assert raster.getpixel((47, 25)) == (0, 0, 255)


@pytest.mark.parametrize("size", [(7, 3), (49, 11), (103, 97), (1, 41), (33, 1)])
def test_a_crop_never_leaves_the_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    """Sides are quotients: without care their rounding errors point out of the picture."""
    Image.new("RGB", size).save(tmp_path / "odd.png")
    odd = Picture("odd", tmp_path / "odd.png")
    for wide in range(1, 60, 7):
        for high in range(1, 60, 5):
            raster, place = fitted(odd, Rect(0, 0, wide, high), "cover")
            assert raster.size == (place.width, place.height) == (wide, high)


@pytest.mark.parametrize(
    ("x", "colour"), [(0.0, (255, 0, 0)), (0.375, (0, 255, 0)), (1.0, (255, 255, 255))]
)
def test_a_crop_keeps_the_focus_in_view(
    stripes: Picture, x: float, colour: tuple[int, int, int]
) -> None:
    raster, _ = fitted(stripes, SQUARE, "cover", focus=Box(x, 0.5, 0, 0))
    assert raster.getpixel((25, 25)) == colour


def test_a_focus_that_a_crop_would_cut_is_shown_with_the_whole_picture(stripes: Picture) -> None:
    raster, place = fitted(stripes, SQUARE, "cover", focus=Box(0.1, 0, 0.5, 1))
    assert raster.size == (50, 12)
    assert place == Rect(10, 39, 50, 12)


def test_a_raster_may_be_larger_than_what_it_covers(stripes: Picture) -> None:
    raster, place = fitted(stripes, SQUARE, "cover", scale=1.5)
    assert (raster.size, place) == ((75, 75), SQUARE)


def test_a_cropped_ground_keeps_the_focus_in_view(stripes: Picture) -> None:
    back = Background((0, 0, 0), stripes, "cover", Box(0.9, 0.5, 0, 0))
    assert ground(back, (60, 60)).getpixel((30, 30)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("panel", "edge", "inside"),
    [
        (Rect(0, 0, 60, 90), (59, 45), (20, 45)),
        (Rect(100, 0, 60, 90), (100, 45), (130, 45)),
        (Rect(0, 50, 160, 40), (80, 50), (80, 70)),
    ],
    ids=["left", "right", "below"],
)
def test_a_panel_is_edged_with_the_accent(
    panel: Rect, edge: tuple[int, int], inside: tuple[int, int]
) -> None:
    canvas = Image.new("RGB", (160, 90), (10, 20, 40))
    draw_split(canvas, panel, (30, 60, 90), (200, 0, 200))
    assert canvas.getpixel(edge) == (200, 0, 200)
    assert canvas.getpixel(inside) == (30, 60, 90)


@pytest.mark.parametrize("base", [(10, 20, 40), (240, 240, 240)], ids=["dark", "light"])
def test_a_panel_is_set_off_from_the_ground(base: tuple[int, int, int]) -> None:
    shade = panel_colour(Background(base), NIGHT)
    assert luminance(shade) != pytest.approx(luminance(base), abs=1e-4)
    assert panel_colour(Background(NIGHT.ground, themed=True), NIGHT) == NIGHT.surface
