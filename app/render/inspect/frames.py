"""Every frame of the film, decoded: do they all come out, do they flash, are they black."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from app.render.inspect.rules import Check, Expected, Rule
from app.render.inspect.sheet import SheetMeter
from app.render.inspect.video import DEMUXERS

#: A film is looked at in so many columns and rows.
_GRID: Final = (32, 18)
#: WCAG 2.2, 2.3.1: a change by a tenth of the relative luminance, the darker below 0.8, on
#: a quarter of the screen, counts; two opposite ones are a flash.
_CHANGE, _DARK, _AREA = 0.1, 0.8, 0.25
_MOST_FLASHES: Final = 3
#: Pixels lighter than this (8-bit luma) are not black.
_NOT_BLACK: Final = 32

DECODED: Final = Rule("Picture", "decoded-frames", "every frame decodes", hard=True)
FLASHES: Final = Rule("Picture", "flashes", "at most 3 a second")
LIGHT: Final = Rule("Picture", "not-all-black", "something is to be seen")


class FlashMeter:
    """Counts flashes in each cell of a grid; takes the frames' relative luminance in order."""

    def __init__(self, fps: int) -> None:
        #: Most flashes within a second on a quarter of the picture.
        self.worst = 0
        self._recent: deque[NDArray[np.bool_]] = deque(maxlen=fps)
        self._turn: NDArray[np.float32] | None = None  # the last extreme of each cell
        self._rising = np.zeros(0, np.int8)

    def add(self, light: NDArray[np.float32]) -> None:
        """Take a frame: (rows, columns) of relative luminance, 0 to 1."""
        if self._turn is None:
            self._turn, self._rising = light.copy(), np.zeros(light.shape, np.int8)
        change = light - self._turn
        counts = (np.abs(change) >= _CHANGE) & (np.minimum(light, self._turn) < _DARK)
        way = np.sign(change).astype(np.int8)
        turned = counts & (way != self._rising)
        # An extreme moves on with its cell until the cell turns.
        moved = turned | ((way == self._rising) & (way != 0))
        self._rising = np.where(turned, way, self._rising)
        self._turn = np.where(moved, light, self._turn)
        self._recent.append(turned)
        if turned.any():
            transitions = np.sum(self._recent, axis=0)
            # A quarter of the cells have at least so many.
            cells = np.sort(transitions, axis=None)[::-1]
            self.worst = max(self.worst, int(cells[int(cells.size * _AREA)]) // 2)


def frame_checks(
    path: Path,
    expected: Expected,
    on_frame: Callable[[int], None],
    *,
    sheet: SheetMeter | None = None,
) -> Iterator[Check]:
    """Yield the checks of the decoded film.

    Args:
        path: The film.
        expected: What it is meant to be.
        on_frame: Called after each frame with their number.
        sheet: Has the contact sheet, None where there is none.

    Raises:
        av.FFmpegError: It cannot be decoded.
    """
    meter, count, lightest = FlashMeter(expected.fps), 0, 0
    for frame, luma in _decoded(path):
        if sheet is not None:
            sheet.offer(count, frame)
        count += 1
        lightest = max(lightest, int(luma.max()))
        meter.add(_relative(luma))
        on_frame(min(count, expected.frames))
    yield DECODED.check(f"{count} of {expected.frames}", holds=count == expected.frames)
    yield FLASHES.check(f"{meter.worst} a second", holds=meter.worst <= _MOST_FLASHES)
    # Whoever orders black gets black; that is told, no more.
    yield LIGHT.check(f"luma up to {lightest}", holds=lightest > _NOT_BLACK, excused=True)
    if sheet is not None:
        yield from sheet.checks()


def _decoded(path: Path) -> Iterator[tuple[av.VideoFrame, NDArray[np.uint8]]]:
    # One for all: making it takes as long as scaling a frame of 1280x720.
    scaler = VideoReformatter()
    with av.open(str(path), format=DEMUXERS[path.suffix]) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            small = scaler.reformat(
                frame,
                _GRID[0],
                _GRID[1],
                "gray",
                dst_color_range=ColorRange.JPEG,
                interpolation=Interpolation.AREA,
            )
            yield frame, small.to_ndarray().astype(np.uint8, copy=False)


def _relative(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the relative luminance of grey values, by the usual approximation of sRGB."""
    return ((luma.astype(np.float32) / 255) ** 2.2).astype(np.float32)
