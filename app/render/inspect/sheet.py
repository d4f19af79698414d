"""Compares decoded frames with the contact sheet, which shows frames as they were drawn.

The sheet is made from the drawn sRGB frames, not from the film. So a film with a wrong matrix,
range or transfer curve, or with a frame at the wrong time, differs from it.
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

#: Positions of the first and last cell, as fractions of the film.
_SPAN: Final = (0.05, 0.95)
#: Side of a patch in pixels of a cell, and largest standard deviation of a flat one.
_PATCH, _FLAT = 8, 1.5
#: Largest difference of a flat patch in any channel, of 255.
_COLOUR: Final = 3.0
#: Mean difference, of 255, above which two pictures show different things.
_PICTURE: Final = 8.0

COLOURS: Final = Rule(
    "Picture", "colours", f"flat patches within {_COLOUR:g}/255 of the contact sheet"
)
SHEET_FRAMES: Final = Rule(
    "Picture", "contact-sheet-frames", "its 8 frames, from 5% to 95% of the film"
)


class SheetMeter:
    """Compares frames of a film with the cells of its contact sheet. Takes every frame."""

    def __init__(self, sheet: Path, expected: Expected) -> None:
        """Open ``sheet``.

        Raises:
            OSError: It is not a JPEG, or not of the right size.
        """
        with Image.open(sheet, formats=["JPEG"]) as image:
            if image.size != (CELL[0] * SHEET[0], CELL[1] * SHEET[1]):
                raise OSError("the contact sheet has the wrong size")
            cells = np.asarray(image.convert("RGB"), np.float32)
        parts = np.linspace(*_SPAN, SHEET[0] * SHEET[1])
        self._frames = [round(part * (expected.frames - 1)) for part in parts]
        self._cells = [
            cells[row * CELL[1] :][: CELL[1], column * CELL[0] :][:, : CELL[0]]
            for row in range(SHEET[1])
            for column in range(SHEET[0])
        ]
        #: Of each cell: median difference of its flat patches, and mean difference.
        self._patches: list[float] = []
        self._means: list[float] = []

    def offer(self, number: int, frame: av.VideoFrame) -> None:
        """Compare ``frame`` if the sheet shows it.

        Args:
            number: Index of the frame in the film.
            frame: The decoded frame.
        """
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
            # Near moving parts the encoder may not have converged, so the median counts.
            self._patches.append(float(np.median(apart)))

    def checks(self) -> Iterator[Check]:
        """Yield the checks of all frames so far."""
        missing = len(self._cells) - len(self._means)
        different = sum(mean > _PICTURE for mean in self._means)
        measured = (
            f"{len(self._means) - different} of {len(self._cells)} match,"
            f" mean difference up to {max(self._means, default=0):.1f}/255"
        )
        yield SHEET_FRAMES.check(measured, holds=not missing + different)
        if not self._patches:
            yield COLOURS.not_applicable("no flat patches")
            return
        worst = max(self._patches)
        yield COLOURS.check(f"difference up to {worst:.1f}/255", holds=worst <= _COLOUR)


def _patches(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the patches of a picture, of shape (patches, pixels, channels)."""
    rows, columns = picture.shape[0] // _PATCH, picture.shape[1] // _PATCH
    cut = picture[: rows * _PATCH, : columns * _PATCH]
    parts = cut.reshape(rows, _PATCH, columns, _PATCH, 3).swapaxes(1, 2)
    return parts.reshape(-1, _PATCH * _PATCH, 3)


def _srgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return a frame as RGB, decoded as BT.709 in limited range (ITU-R BT.709-6, items 3 and 4)."""
    planes = frame.to_ndarray(format="yuv444p").astype(np.float32)
    luma, blue, red = (planes[0] - 16) / 219, (planes[1] - 128) / 224, (planes[2] - 128) / 224
    channels = (luma + 1.5748 * red, luma - 0.18732 * blue - 0.46812 * red, luma + 1.8556 * blue)
    scaled = np.stack(channels, axis=2) * 255
    shown: NDArray[np.uint8] = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    return shown
