"""The pictures of the demo: pieces arranged and lit on a table."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from PIL import Image

from scripts.example_assets.kit import Point, Sheet, circle, curve, rounded
from scripts.example_assets.pieces import (
    BOARD,
    STONES,
    TIDE,
    board,
    card,
    card_back,
    keeper,
    lantern,
    post,
    tide_marker,
)

#: Posts in the order in which they are lit.
LIT = (
    ("coral", 1, 1), ("teal", 1, 2), ("coral", 0, 3),
    ("gold", 2, 3), ("coral", 2, 1), ("teal", 0, 1),
)  # fmt: skip


def table(width: int, height: int) -> Sheet:
    """Return a dark, warm table with light from the upper left."""
    sheet = Sheet(width, height)
    sheet.fill([(0, 0), (width, 0), (width, height), (0, height)], "#463f6b", to="#2b2950")
    sheet.glow(width * 0.3, height * 0.1, width * 0.75, "#8f7fb8", 0.55)
    return sheet


def dusk(rng: random.Random) -> Sheet:
    """Return the cove at dusk: sky, moon, hills and water."""
    sheet = Sheet(1600, 900)
    sheet.fill([(0, 0), (1600, 0), (1600, 620), (0, 620)], "#2c2f63", to="#f0a183")
    for _ in range(80):
        x, y = rng.uniform(0, 1600), rng.uniform(0, 320)
        sheet.fill(circle(x, y, rng.uniform(1, 2.6)), "#fff3d0", alpha=rng.uniform(0.3, 0.9))
    sheet.glow(1240, 270, 420, "#ffd9a0", 0.6)
    sheet.fill(circle(1240, 270, 78), "#fff0c9", to="#ffd28f")
    for base, bend, colour, to in (
        (470, 70, "#8d6f9e", "#c58a97"),
        (530, 56, "#665a8c", "#84688f"),
        (580, 40, "#46487a", "#4f4a78"),
    ):
        ridge = [(x, base - bend * math.sin(x / 190 + base)) for x in range(-80, 1700, 80)]
        sheet.fill([*curve(ridge, closed=False), (1700, 900), (-80, 900)], colour, to=to)
    sheet.fill([(0, 600), (1600, 600), (1600, 900), (0, 900)], "#5b7ba0", to="#1f3a63")
    for _ in range(150):
        y = rng.uniform(612, 880)
        spread = 60 + (y - 600) * 0.9
        x, half = 1240 + rng.uniform(-spread, spread), rng.uniform(10, 46)
        sheet.stroke([(x - half, y), (x + half, y)], "#ffe3b0", 3, alpha=rng.uniform(0.12, 0.5))
    for _ in range(90):
        x, y, half = rng.uniform(0, 1600), rng.uniform(615, 890), rng.uniform(14, 60)
        sheet.stroke([(x - half, y), (x + half, y)], "#cfe3ee", 2.4, alpha=rng.uniform(0.05, 0.2))
    return sheet


def cover() -> Sheet:
    """The cove with a lighthouse, three keepers, and lanterns on a line."""
    rng = random.Random(11)
    sheet = dusk(rng)
    _lighthouse(sheet, 250, 612)
    _shore(sheet, rng)
    for x, y, player in ((1190, 806, "teal"), (1305, 800, "coral"), (1480, 776, "gold")):
        sheet.stamp(keeper(player), x, y, zoom=0.95, shadow=9)
        sheet.glow(x + 37, y - 52, 110, "#ffcf7a", 0.8)
    line = [(-40, 70), (260, 130), (620, 150), (960, 100), (1300, 20), (1600, -60)]
    smooth = curve(line, closed=False)
    sheet.stroke(smooth, "#2a2547", 4)
    hanging = (("gold", 0.07, -6), ("coral", 0.33, 4), ("teal", 0.46, 7), ("plum", 0.6, -3))
    for player, share, angle in (*hanging, ("gold", 0.73, 5)):
        left, top = smooth[int(len(smooth) * share)]
        sheet.glow(left, top + 46, 150, "#ffcc7d", 0.85)
        sheet.stamp(lantern(player), left, top + 44, zoom=0.8, angle=angle)
    return sheet


def _lighthouse(sheet: Sheet, x: float, y: float) -> None:
    rock = [(-190, 46), (-120, -14), (0, -30), (120, -10), (190, 46)]
    sheet.fill(curve([(x + dx, y + dy) for dx, dy in rock], closed=False), "#3b3a63", to="#2a2b50")
    for left, right in ((-1.0, -0.3), (-0.1, 0.15)):
        ends = [y - 296 + 210 * slope for slope in (left, right)]
        beam = [(x, y - 296), (x + 1500, ends[0]), (x + 1500, ends[1])]
        sheet.fill(beam, "#fff3c4", alpha=0.09)

    def band(top: float, bottom: float, colour: str, to: str) -> None:
        half = [26 + 12 * (260 + at) / 240 for at in (top, bottom)]
        corners = [(-half[0], top), (half[0], top), (half[1], bottom), (-half[1], bottom)]
        sheet.fill([(x + dx, y + dy) for dx, dy in corners], colour, to=to)

    band(-260, -20, "#fbeedd", "#d8b9ab")
    for top in (-222, -150, -78):
        band(top, top + 36, "#e0705c", "#c45550")
    sheet.fill(rounded(x - 22, y - 322, 44, 56, 8), "#ffe9a8", to="#ffc45e")
    sheet.glow(x, y - 298, 230, "#ffd98a", 0.9)
    sheet.fill(rounded(x - 40, y - 272, 80, 14, 5), "#4b3a5c")
    sheet.fill([(x - 33, y - 318), (x, y - 360), (x + 33, y - 318)], "#c45550", to="#93404a")


def _shore(sheet: Sheet, rng: random.Random) -> None:
    sand = [
        (-60, 850), (240, 806), (560, 836), (860, 800), (1180, 846), (1660, 790),
        (1660, 980), (-60, 980),
    ]  # fmt: skip
    sheet.fill(curve(sand), "#6a5a86", to="#3f3a66", shadow=14)
    for _ in range(34):
        x, y, size = rng.uniform(20, 1580), rng.uniform(852, 892), rng.uniform(8, 22)
        stone = [(-1, 0), (-0.5, -0.7), (0.6, -0.6), (1, 0.1), (0, 0.5)]
        corners = [(x + size * dx, y + size * dy) for dx, dy in stone]
        sheet.fill(curve(corners), "#8a82a8", to="#565080")


def set_up() -> Sheet:
    """The board from above, ready to play."""
    sheet = table(1600, 900)
    sheet.stamp(laid_board(), 700, 450, shadow=26)
    sheet.stamp(card_back(), 1462, 250, angle=4, zoom=0.78, shadow=12)
    sheet.stamp(card_back(), 1456, 245, angle=1, zoom=0.78, shadow=6)
    for index, player in enumerate(("coral", "teal", "plum", "gold")):
        sheet.stamp(lantern(player), 1405 + 108 * (index % 2), 560 + 110 * (index // 2), shadow=9)
    return sheet


def laid_board(*, tide: int = 0, walk: bool = False, way: bool = False, lit: int = 0) -> Sheet:
    """Return the board with keepers, the tide at a space, and some lanterns lit.

    Args:
        tide: Space of the tide's marker, 0 to 5.
        walk: Whether the coral keeper has walked two stones.
        way: Whether the way it has walked is drawn.
        lit: How many lanterns stand.
    """
    sheet = Sheet(*BOARD)
    sheet.stamp(board(), BOARD[0] / 2, BOARD[1] / 2)
    for player, row, column in LIT[:lit]:
        x, y = post(row, column)
        sheet.glow(x, y, 120, "#ffd27a", 0.75)
        sheet.stamp(lantern(player), x, y, zoom=0.62, shadow=6)
    x, y = TIDE[tide]
    sheet.stamp(tide_marker(), x, y, shadow=9)
    start, middle, end = STONES[3][0], STONES[2][0], STONES[2][1]
    if way:
        line = curve([start, middle, end], closed=False)
        sheet.stroke(line, "#fff8e6", 16, alpha=0.9)
        sheet.stroke(line, "#e0705c", 9)
        sheet.fill(circle(*start, 20), "#e0705c")
    places = (
        ("coral", end if walk else start),
        ("teal", STONES[0][0]),
        ("plum", STONES[0][4]),
        ("gold", STONES[3][4]),
    )
    for player, (x, y) in places:
        sheet.stamp(keeper(player), x, y - 44, zoom=0.8, shadow=9)
    return sheet


def components() -> Sheet:
    """All that lies in the box."""
    sheet = table(1280, 960)
    sheet.stamp(board(), 440, 300, angle=-4, zoom=0.6, shadow=20)
    for index, steps in enumerate((1, 2, 3)):
        place = (930 + index * 102, 220 + index * 22)
        sheet.stamp(card(steps), *place, angle=-8 + index * 8, zoom=0.78, shadow=12)
    for index, player in enumerate(("coral", "teal", "plum", "gold")):
        sheet.stamp(keeper(player), 130 + index * 160, 750, zoom=1.3, shadow=12)
        for number in range(3):
            place = (930 + number * 112, 520 + index * 108)
            sheet.stamp(lantern(player), *place, zoom=0.92, shadow=8)
    sheet.stamp(tide_marker(), 780, 720, zoom=1.1, shadow=9)
    return sheet


def hand() -> Sheet:
    """The pile and three path cards in a fan."""
    sheet = table(1280, 960)
    for turn in (-4, 3, 0):
        sheet.stamp(card_back(), 210, 300 + turn, angle=turn, shadow=9)
    for index, steps in enumerate((1, 2, 3)):
        place = (480 + index * 282, 590 + abs(index - 1) * 30)
        sheet.stamp(card(steps), *place, angle=(index - 1) * 8, zoom=1.25, shadow=18)
    return sheet


def walking() -> Sheet:
    """A part of the board: a keeper walks two stones."""
    return _close_up(laid_board(walk=True, way=True), 0, 230, 850, 530)


def lighting() -> Sheet:
    """A part of the board: lanterns stand on posts."""
    return _close_up(laid_board(tide=2, walk=True, lit=3), 330, 20, 800, 500)


def rising() -> Sheet:
    """The tide's track with its marker on the fourth space."""
    whole = laid_board(tide=3, walk=True, lit=6)
    return _close_up(whole, 277, 0, BOARD[0] - 277, BOARD[1], size=(1280, 1010))


def scoring() -> Sheet:
    """Three lanterns of a colour in a row: they count more than single ones."""
    rng = random.Random(3)
    sheet = dusk(rng)
    _shore(sheet, rng)
    places = [(930 + index * 220, 560) for index in range(3)]
    for x, y in places:
        sheet.stamp(pole(), x, y + 180, shadow=12)
        sheet.glow(x, y, 300, "#ffcf7a", 0.8)
    sheet.stroke([places[0], places[-1]], "#fff0c9", 6, alpha=0.9, dash=16)
    for x, y in places:
        sheet.stamp(lantern("coral"), x, y, zoom=1.5, shadow=14)
        sheet.fill(_star(x, y - 128, 34), "#ffe08a", to="#f2a84b", shadow=6)
    return sheet


def _star(x: float, y: float, radius: float) -> list[Point]:
    turns = [math.tau * index / 10 - math.tau / 4 for index in range(10)]
    reach = [radius * (1.0 if index % 2 == 0 else 0.46) for index in range(10)]
    return [(x + r * math.cos(t), y + r * math.sin(t)) for r, t in zip(reach, turns, strict=True)]


def pole() -> Sheet:
    """Draw a wooden post from the side."""
    sheet = Sheet(60, 300)
    sheet.fill(rounded(18, 0, 24, 290, 8), "#a5795a", to="#6d4a3a")
    sheet.fill(rounded(4, 268, 52, 28, 10), "#8a8aa8", to="#5c5a80")
    return sheet


def _close_up(
    sheet: Sheet,
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    size: tuple[int, int] = (1600, 1000),
) -> Sheet:
    """Return a part of a sheet on the table, as large as ``size``."""
    part = sheet.cropped(x, y, width, height)
    whole = table(*size)
    whole.stamp(part, size[0] / 2, size[1] / 2, zoom=max(size[0] / width, size[1] / height))
    return whole


#: Functions that draw the pictures, by file name.
PICTURES: dict[str, Callable[[], Sheet]] = {
    "cover.jpg": cover,
    "set-up.jpg": set_up,
    "components.jpg": components,
    "cards.jpg": hand,
    "walking.jpg": walking,
    "lighting.jpg": lighting,
    "tide.jpg": rising,
    "scoring.jpg": scoring,
}


def draw(name: str) -> Image.Image:
    """Return one of ``PICTURES``."""
    return PICTURES[name]().finished()
