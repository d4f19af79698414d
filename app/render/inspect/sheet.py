"""The film's colours, decoded, against its contact sheet, which shows the frames as drawn.

The sheet is sRGB as the author gave it, and never was in the film: a wrong matrix, range or
transfer of the film, or a frame at another time, shows as a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.render.inspect.rules import Check, Expected, Rule
from app.render.picture.stills import CELL, SHEET

#: Parts of the film that the first and the last cell show.
_SPAN: Final = (0.05, 0.95)
#: A patch is a square of so many pixels of a cell, whose values spread by no more than this.
_PATCH, _FLAT = 8, 1.5
#: A patch may differ by so much in each channel, of 255.
_COLOUR: Final = 3.0
#: Pictures differ by so much on average where they show another thing.
_PICTURE: Final = 8.0

COLOURS: Final = Rule("Picture", "colours", "flat patches within 3/255 of what was drawn")
SHEET_FRAMES: Final = Rule(
    "Picture", "contact-sheet-frames", "8 frames from 5 % to 95 % of the film"
)


class SheetMeter:
    """Compares frames of a film with the cells of its contact sheet. Offer it every frame."""

    def __init__(self, sheet: Path, expected: Expected) -> None:
        """Open ``sheet``.

        Raises:
            OSError: It is no JPEG of the right size.
        """
        with Image.open(sheet, formats=["JPEG"]) as image:
            if image.size != (CELL[0] * SHEET[0], CELL[1] * SHEET[1]):
                raise OSError("the contact sheet has another size")
            cells = np.asarray(image.convert("RGB"), np.float32)
        parts = np.linspace(*_SPAN, SHEET[0] * SHEET[1])
        self._frames = [round(part * (expected.frames - 1)) for part in parts]
        self._cells = [
            cells[row * CELL[1] :][: CELL[1], column * CELL[0] :][:, : CELL[0]]
            for row in range(SHEET[1])
            for column in range(SHEET[0])
        ]
        #: Of each cell: greatest difference of a flat patch, and mean difference.
        self._patches: list[float] = []
        self._means: list[float] = []

    def offer(self, number: int, frame: av.VideoFrame) -> None:
        """Compare ``frame`` if it is one of the sheet's."""
        if number not in self._frames:
            return
        picture = _srgb(frame)
        scale = min(CELL[0] / frame.width, CELL[1] / frame.height)
        size = (max(round(frame.width * scale), 1), max(round(frame.height * scale), 1))
        left, top = (CELL[0] - size[0]) // 2, (CELL[1] - size[1]) // 2
        shown = np.asarray(
            Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS), np.float32
        )
        for at, cell in zip(self._frames, self._cells, strict=True):
            if at == number:
                drawn = cell[top : top + size[1], left : left + size[0]]
                self._compare(drawn, shown)

    def _compare(self, drawn: NDArray[np.float32], shown: NDArray[np.float32]) -> None:
        self._means.append(float(np.abs(drawn - shown).mean()))
        ours, theirs = _patches(drawn), _patches(shown)
        flat = ours.std(axis=1).max(axis=1) <= _FLAT
        if flat.any():
            apart = np.abs(ours[flat].mean(axis=1) - theirs[flat].mean(axis=1)).max(axis=1)
            # Next to what moves, an encoder is still at work: the middle one counts.
            self._patches.append(float(np.median(apart)))

    def checks(self) -> Iterator[Check]:
        """Yield what was found."""
        missing = len(self._cells) - len(self._means)
        other = sum(mean > _PICTURE for mean in self._means)
        told = f"{len(self._means) - other} right, {max(self._means, default=0):.1f} of 255 apart"
        yield SHEET_FRAMES.check(told, holds=not missing + other)
        if not self._patches:
            yield COLOURS.not_applicable("no flat patch")
            return
        worst = max(self._patches)
        yield COLOURS.check(f"within {worst:.1f}", holds=worst <= _COLOUR)


def _patches(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return squares as (squares, pixels, channels)."""
    rows, columns = picture.shape[0] // _PATCH, picture.shape[1] // _PATCH
    cut = picture[: rows * _PATCH, : columns * _PATCH]
    parts = cut.reshape(rows, _PATCH, columns, _PATCH, 3).swapaxes(1, 2)
    return parts.reshape(-1, _PATCH * _PATCH, 3)


def _srgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return a frame as a player shows it: BT.709, limited range (ITU-R BT.709-6, 3 and 4)."""
    planes = frame.to_ndarray(format="yuv444p").astype(np.float32)
    luma, blue, red = (planes[0] - 16) / 219, (planes[1] - 128) / 224, (planes[2] - 128) / 224
    channels = (luma + 1.5748 * red, luma - 0.18732 * blue - 0.46812 * red, luma + 1.8556 * blue)
    scaled = np.stack(channels, axis=2) * 255
    shown: NDArray[np.uint8] = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    return shown
