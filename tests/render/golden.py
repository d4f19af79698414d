"""Golden sheets: a film of every layout, motion, transition and callout, as small pictures.

``python -m tests.render.golden`` writes the sheets. Look at them before you commit them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from app.render.model.themes import THEMES
from app.render.picture.compose import Compositor, Run
from app.render.text import fonts
from tests.render.requests import storyboard_of

#: Directory of the sheets.
GOLDEN: Final = Path(__file__).with_suffix("")
_SIZE: Final = (256, 144)
#: Sizes of the sheets of themes, by name.
ASPECTS: Final = {"16x9": "320x180", "9x16": "180x320", "1x1": "240x240"}
_WORDS: Final = {"title": "Set up", "body": "Deal five cards to each player."}
_BOARD: Final = {"visuals": [{"assetId": "board"}]}


def _moving(*motions: dict[str, Any], asset: str = "board") -> dict[str, Any]:
    return {**_WORDS, "visuals": [{"assetId": asset, "motions": list(motions)}]}


_BOX: Final = {"x": 0.3, "y": 0.2, "w": 0.2, "h": 0.25}
_TALL: Final = {"x": 0.7, "y": 0.1, "width": 0.2, "height": 0.8}
#: Frames and steps of each sheet, by name.
SHEETS: Final[dict[str, tuple[Sequence[int], Sequence[dict[str, Any]]]]] = {
    "layouts": (
        (0,),
        [
            *[
                {**_WORDS, **_BOARD, "layout": {"mode": mode}}
                for mode in ("auto", "text-only", "full-bleed", "image-left", "image-right",
                             "image-top", "center-focus", "split-teaching", "brand")
            ],
            {**_WORDS, **_BOARD, "layout": {"imageSide": "left"}},
            {**_WORDS, **_BOARD,
             "layout": {"mode": "split-teaching", "imageSide": "left", "panelWidthRatio": 0.42}},
            {**_WORDS, "visuals": [{"assetId": "board", "fit": "cover",
                                    "placement": _TALL}],
             "layout": {"visualFocus": {"x": 0.8, "y": 0.3, "w": 0.1, "h": 0.1}}},
        ],
    ),
    "motions": (
        (0, 15, 45, 89),
        [
            _moving({"type": "fade", "endSec": 1}),
            _moving({"type": "slide", "endSec": 2}),
            _moving({"type": "soft_slide_in", "direction": "left", "distance": 0.2, "endSec": 2}),
            _moving({"type": "zoom", "to": 1.08}),
            _moving({"type": "focus_zoom", "from": 1, "to": {"x": 0.9, "y": 0.4}}),
            _moving({"type": "ken_burns", "direction": "up"}),
            _moving({"type": "pan", "direction": "right"}),
            _moving({"type": "pulse", "periodSec": 1, "repeatCount": 3, "to": 1.08}, asset="token"),
            _moving({"type": "highlight", "endSec": 2}, asset="token"),
            {**_WORDS, "background": {"assetId": "board"}, "motion": {"type": "ken_burns"}},
            {**_WORDS, **_BOARD, "motion": {"type": "fade", "endSec": 2}},
            {**_WORDS, **_BOARD, "motion": {"type": "slide", "direction": "up", "endSec": 2}},
        ],
    ),
    "transitions": (
        (1, 5, 9, 14),
        [
            {**_WORDS, **_BOARD, "transition": {"in": kind}}
            for kind in ("crossfade", "fade", "slide-left", "slide-right")
        ],
    ),
    "callouts": (
        (3, 30),
        [
            {**_BOARD, "layout": {"mode": "full-bleed"}, "body": "Look here.",
             "callouts": [{"kind": kind, "label": "Market", "target": _BOX}]}
            for kind in ("box", "arrow", "pill")
        ],
    ),
}  # fmt: skip
#: Steps of a sheet of all themes.
_THEMED: Final[Sequence[dict[str, Any]]] = [
    {"title": "Pebblewick"},
    {"title": "Your goal", "body": "Light the most lanterns, whatever the tide."},
    {**_WORDS, **_BOARD, "layout": {"mode": "split-teaching"}},
    {
        "title": "Score",
        "overlays": [
            {"text": "Setup", "role": "badge"},
            {"text": "Never twice.", "role": "warning"},
            {"text": "Page 4", "role": "reference"},
        ],
    },
]


def art(directory: Path) -> dict[str, Path]:
    """Draw the pictures of the films. Return their paths by asset id."""
    board = Image.new("RGB", (640, 400), (40, 90, 70))
    pen = ImageDraw.Draw(board)
    for row in range(4):
        for column in range(6):
            x, y = 20 + column * 104, 16 + row * 96
            pen.rectangle((x, y, x + 80, y + 72), fill=(220 - 30 * row, 120 + 20 * column, 90))
    board.save(directory / "board.png")
    token = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(token).ellipse((4, 4, 195, 195), fill=(210, 60, 60, 255))
    token.save(directory / "token.png")
    return {path.stem: path for path in directory.glob("*.png")}


def sheet(name: str, pictures: dict[str, Path]) -> Image.Image:
    """Draw a sheet with a row for each step and a column for each frame."""
    frames, steps = SHEETS[name]
    grounds = ("#101828", "#3b1d2a")
    request = {
        "steps": [
            {"durationSec": 3, "background": {"color": grounds[number % 2]}, **step}
            for number, step in enumerate(steps)
        ],
        "assets": [],
        "audio": {},
        "options": {"resolution": f"{_SIZE[0]}x{_SIZE[1]}"},
    }
    payload = {"previewRequest": request, "dryRun": False}
    board = storyboard_of(payload, pictures)
    compositor = Compositor(board)
    rows = [
        np.concatenate(
            [compositor.picture(Run(index, step.start + at, 1)) for at in frames], axis=1
        )
        for index, step in enumerate(board.steps)
    ]
    return Image.fromarray(np.concatenate(rows))


def theme_sheet(aspect: str, pictures: dict[str, Path]) -> Image.Image:
    """Draw a sheet with a row for each theme and a column for each step."""
    rows = []
    for theme in THEMES.values():
        options = {"resolution": ASPECTS[aspect]}
        steps = [{"durationSec": 3, **step} for step in _THEMED]
        request = {
            "steps": steps,
            "assets": [],
            "audio": {},
            "options": options,
            "theme": theme.name,
        }
        with fonts.using(fonts.Fonts(theme=theme)):
            board = storyboard_of({"previewRequest": request, "dryRun": False}, pictures)
            compositor = Compositor(board)
            shown = [Run(index, step.start + 45, 1) for index, step in enumerate(board.steps)]
            rows.append(np.concatenate(list(map(compositor.picture, shown)), axis=1))
    return Image.fromarray(np.concatenate(rows))


def sheets(pictures: dict[str, Path]) -> Iterator[tuple[str, Image.Image]]:
    """Yield name and picture of each sheet."""
    for name in SHEETS:
        yield name, sheet(name, pictures)
    for aspect in ASPECTS:
        yield f"themes-{aspect}", theme_sheet(aspect, pictures)


def main() -> None:
    """Write all sheets."""
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        for name, picture in sheets(art(Path(directory))):
            picture.save(GOLDEN / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
