"""The pieces of Pebblewick: board, cards, keepers, lanterns, the tide."""

from __future__ import annotations

import math
import random

from scripts.example_assets.kit import Point, Sheet, circle, curve, rounded

#: Size of the board in pixels.
BOARD = (1240, 760)
#: Size of a path card.
CARD = (250, 360)
#: Colours of the players: body and shade.
PLAYERS = {
    "coral": ("#f08a6c", "#c4553f"),
    "teal": ("#4fb3a9", "#24746f"),
    "plum": ("#a17cc4", "#67468f"),
    "gold": ("#f3c15c", "#c28a24"),
}
#: Middles of the stones of the board, in rows.
STONES: list[list[Point]] = [
    [(230 + column * 172 + 26 * (row % 2), 150 + row * 128) for column in range(5)]
    for row in range(4)
]
#: Middles of the six spaces of the tide.
TIDE: list[Point] = [(1128, 666 - step * 112) for step in range(6)]


def post(row: int, column: int) -> Point:
    """Return the place of the lantern post to the right of a stone."""
    x, y = STONES[row][column]
    return (x + 86, y)


def pebble(rng: random.Random, radius: float, light: str, dark: str) -> Sheet:
    """Draw a stone seen from above."""
    sheet = Sheet(radius * 2.6, radius * 2.6)
    middle = radius * 1.3
    turns = [math.tau * index / 9 for index in range(9)]
    corners = [
        (
            middle + radius * rng.uniform(0.9, 1.05) * math.cos(t),
            middle + radius * rng.uniform(0.8, 0.92) * math.sin(t),
        )
        for t in turns
    ]
    sheet.fill(curve(corners), light, to=dark)
    shine = [(x * 0.62 + middle * 0.32, y * 0.5 + middle * 0.36) for x, y in corners]
    sheet.fill(curve(shine), "#ffffff", alpha=0.22)
    return sheet


def board() -> Sheet:
    """Draw the board: a cove at dusk, stones to walk on, posts, and the tide at the right."""
    rng = random.Random(7)
    width, height = BOARD
    sheet = Sheet(width, height)
    sheet.fill(rounded(0, 0, width, height, 34), "#efe0c4", to="#e3c9a2")
    _cove(sheet, rng)
    for row in range(4):
        for column in range(5):
            _paths(sheet, row, column)
    for row in range(4):
        for column in range(5):
            x, y = STONES[row][column]
            stone = pebble(rng, 46, "#e6e3e6", "#b3b0bd")
            sheet.stamp(stone, x, y, shadow=7)
    for row in range(4):
        for column in range(4):
            x, y = post(row, column)
            sheet.fill(circle(x, y, 19), "#7a5a47", shadow=4)
            sheet.fill(circle(x, y, 13), "#c59a72")
            sheet.fill(circle(x, y, 8), "#8f6a50")
    _tide_track(sheet)
    sheet.clip(rounded(0, 0, width, height, 34))
    edge = rounded(7, 7, width - 14, height - 14, 28)
    sheet.stroke([*edge, edge[0]], "#8a6247", 14)
    sheet.stroke([*edge, edge[0]], "#b98b63", 4)
    return sheet


def _cove(sheet: Sheet, rng: random.Random) -> None:
    shore = [
        (0, 500), (80, 560), (190, 640), (360, 690), (560, 700), (760, 690), (940, 720),
        (1010, 600), (1000, 400), (1030, 200), (1010, 0), (1300, -60), (1300, 820), (-60, 820),
    ]  # fmt: skip
    for grow, colour in ((26, "#f6ecd6"), (12, "#bfe0d6"), (0, "#5aa9a8")):
        line = [(x - grow * 0.8, y - grow) for x, y in shore]
        sheet.fill(curve(line), colour, to="#2c6f86" if not grow else "")
    for _ in range(40):
        x = rng.uniform(0, 940)
        y = rng.uniform(640 + min(x, 320) * 0.22, 745)
        wave = [(x + dx, y + 5 * math.sin(dx / 11)) for dx in range(0, 70, 7)]
        sheet.stroke(curve(wave, closed=False), "#e7f6f1", 2.4, alpha=0.34)
    for x, y, size in ((92, 120, 36), (104, 262, 30), (88, 404, 34)):
        for dx, dy, share in ((0, 0, 1.0), (-0.7, 0.5, 0.7), (0.75, 0.45, 0.75)):
            middle = (x + dx * size, y + dy * size)
            sheet.fill(circle(*middle, size * share), "#93b47f", to="#5f8a62", shadow=6)


def _paths(sheet: Sheet, row: int, column: int) -> None:
    x, y = STONES[row][column]
    ends: list[Point] = []
    if column + 1 < len(STONES[row]):
        ends.append(STONES[row][column + 1])
    if row + 1 < len(STONES):
        ends.append(STONES[row + 1][column])
    for end in ends:
        sheet.stroke([(x, y), end], "#a98058", 7, alpha=0.75, dash=13)


def _tide_track(sheet: Sheet) -> None:
    for step, (x, y) in enumerate(TIDE):
        depth = ("#dff2ec", "#b9e2da", "#8dccc8", "#62b0b6", "#3d8ca0", "#2a6a88")[step]
        sheet.fill(circle(x, y, 47), depth, shadow=7)
        wave_ink = "#ffffff" if step > 1 else "#3d8ca0"
        for line in range(1 + step // 2):
            top = y - 8 * (step // 2) + 16 * line
            wave = [(x + dx, top + 6 * math.sin(dx / 7.6)) for dx in range(-26, 27, 4)]
            sheet.stroke(curve(wave, closed=False), wave_ink, 5, alpha=0.85)


def tide_marker() -> Sheet:
    """Draw the marker of the tide: a disc with a crescent moon."""
    sheet = Sheet(110, 110)
    sheet.fill(circle(55, 55, 42), "#2b3566", to="#1b2247")
    ring = circle(55, 55, 38)
    sheet.stroke([*ring, ring[0]], "#f7dfa0", 3.5)
    moon = Sheet(110, 110)
    moon.fill(circle(55, 55, 24), "#ffe9b0", to="#f6c96a")
    bite = Sheet(110, 110)
    bite.fill(circle(66, 48, 22), "#252e5b")
    moon.stamp(bite, 55, 55)
    sheet.stamp(moon, 53, 55)
    return sheet


def keeper(player: str) -> Sheet:
    """Draw a keeper: a hooded figure with a staff and a little light."""
    body, shade = PLAYERS[player]
    sheet = Sheet(120, 170)
    sheet.stroke([(97, 34), (93, 156)], "#7b5640", 5)
    cloak = [(58, 52), (84, 84), (98, 150), (60, 162), (20, 150), (34, 84)]
    sheet.fill(curve(cloak), body, to=shade)
    fold = [(60, 70), (72, 100), (76, 152), (62, 157), (56, 110)]
    sheet.fill(curve(fold), shade, alpha=0.45)
    sheet.fill(curve([(59, 14), (84, 38), (78, 66), (59, 74), (40, 66), (34, 38)]), body, to=shade)
    sheet.fill(circle(59, 47, 17), "#fbe3c8", to="#eec49f")
    for x in (53, 66):
        sheet.fill(circle(x, 47, 2.6), "#4a3344")
    sheet.fill(circle(98, 32, 12), "#ffd97a", to="#f2a84b")
    sheet.fill(circle(98, 30, 6), "#fff6d6")
    return sheet


def lantern(player: str, *, lit: bool = True) -> Sheet:
    """Draw a lantern token of a player; a lit one glows."""
    body, shade = PLAYERS[player]
    sheet = Sheet(140, 140)
    sheet.fill(circle(70, 70, 46), shade)
    sheet.fill(circle(70, 68, 44), body, to=shade)
    sheet.fill(circle(70, 69, 36), "#fdf4df")
    frame = [(58, 50), (82, 50), (90, 62), (86, 88), (54, 88), (50, 62)]
    sheet.fill(frame, "#4b3a4d")
    glass = [(60, 56), (80, 56), (85, 64), (81, 84), (59, 84), (55, 64)]
    sheet.fill(glass, "#ffe38f" if lit else "#9aa3b5", to="#f7a94c" if lit else "#6f7890")
    sheet.stroke([(70, 56), (70, 84)], "#4b3a4d", 2.4)
    arch = [(62, 49), (65, 41), (75, 41), (78, 49)]
    sheet.stroke(curve(arch, closed=False), "#4b3a4d", 3.4)
    sheet.fill(rounded(55, 86, 30, 7, 3), "#4b3a4d")
    if lit:
        sheet.fill(curve([(70, 62), (75, 73), (70, 80), (65, 73)]), "#fffbe6")
    return sheet


def card(steps: int) -> Sheet:
    """Draw a path card: a bit of the cove, and as many footprints as steps may be walked."""
    width, height = CARD
    sheet = Sheet(width, height)
    sheet.fill(rounded(0, 0, width, height, 24), "#fdf6e6", to="#f5e7cb")
    window = Sheet(width, height)
    sky = ("#f7b98b", "#d98aa0", "#7d6aa8")[steps - 1]
    window.fill(rounded(20, 20, width - 40, 190, 16), sky, to="#fde3b5")
    window.fill(circle(178, 84, 26), "#fff4cf", alpha=0.95)
    hills = [(0, 190), (60, 138), (130, 170), (200, 128), (270, 168), (270, 240), (0, 240)]
    window.fill(curve(hills), "#6f9c86", to="#4a7a72")
    water = [(0, 190), (90, 182), (180, 194), (270, 184), (270, 240), (0, 240)]
    window.fill(curve(water), "#4c9ca6", to="#2f7890")
    window.clip(rounded(20, 20, width - 40, 190, 16))
    sheet.stamp(window, width / 2, height / 2)
    for index in range(steps):
        middle = width / 2 + (index - (steps - 1) / 2) * 62
        _footprint(sheet, middle - 11, 292, -6)
        _footprint(sheet, middle + 11, 268, 6)
    rim = rounded(5, 5, width - 10, height - 10, 20)
    sheet.stroke([*rim, rim[0]], "#c99d6a", 3.5)
    return sheet


def _footprint(sheet: Sheet, x: float, y: float, lean: float) -> None:
    foot = Sheet(40, 60)
    foot.fill(curve([(20, 6), (30, 16), (27, 32), (20, 36), (13, 32), (10, 16)]), "#5d4a6b")
    foot.fill(circle(20, 45, 8, flat=0.85), "#5d4a6b")
    sheet.stamp(foot, x, y, angle=lean, zoom=0.85)


def card_back() -> Sheet:
    """Draw the back of a path card."""
    width, height = CARD
    sheet = Sheet(width, height)
    sheet.fill(rounded(0, 0, width, height, 24), "#4a4d86", to="#2f3364")
    for row in range(7):
        for column in range(5):
            middle = (25 + column * 50, 30 + row * 50)
            sheet.fill(circle(*middle, 4), "#f7dfa0", alpha=0.35)
    sheet.stamp(tide_marker(), width / 2, height / 2, zoom=1.25)
    rim = rounded(9, 9, width - 18, height - 18, 17)
    sheet.stroke([*rim, rim[0]], "#f7dfa0", 3.5, alpha=0.8)
    return sheet
