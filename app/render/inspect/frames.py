"""Decodes every frame of the film; checks their number, flashes, and that not all are black."""

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

#: Columns and rows to which each frame is scaled down.
_GRID: Final = (32, 18)
#: A general flash by WCAG 2.2: a pair of opposing changes in relative luminance of 10% or more of
#: the maximum, where the darker image is below 0.80. It counts on a quarter of the picture.
_CHANGE, _DARK, _AREA = 0.1, 0.8, 0.25
_MOST_FLASHES: Final = 3
#: Pixels above this 8-bit luma are not black.
_NOT_BLACK: Final = 32

DECODED: Final = Rule("Picture", "decoded-frames", "every frame decodes", hard=True)
FLASHES: Final = Rule("Picture", "flashes", f"at most {_MOST_FLASHES} per second")
LIGHT: Final = Rule("Picture", "not-all-black", f"luma above {_NOT_BLACK} in some frame")


class FlashMeter:
    """Counts flashes in each cell of a grid, frame by frame."""

    def __init__(self, fps: int) -> None:
        #: Largest number of flashes within a second on a quarter of the picture.
        self.worst = 0
        self._recent: deque[NDArray[np.bool_]] = deque(maxlen=fps)
        self._turn: NDArray[np.float32] | None = None  # last extreme of each cell
        self._direction = np.zeros(0, np.int8)

    def add(self, light: NDArray[np.float32]) -> None:
        """Add the next frame.

        Args:
            light: Relative luminance, 0 to 1, of shape (rows, columns).
        """
        if self._turn is None:
            self._turn, self._direction = light.copy(), np.zeros(light.shape, np.int8)
        change = light - self._turn
        counts = (np.abs(change) >= _CHANGE) & (np.minimum(light, self._turn) < _DARK)
        direction = np.sign(change).astype(np.int8)
        turned = counts & (direction != self._direction)
        # An extreme follows its cell until the cell turns.
        moved = turned | ((direction == self._direction) & (direction != 0))
        self._direction = np.where(turned, direction, self._direction)
        self._turn = np.where(moved, light, self._turn)
        self._recent.append(turned)
        if turned.any():
            transitions = np.sum(self._recent, axis=0)
            # A quarter of the cells have at least this many.
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
        expected: What the film should be.
        on_frame: Called after each frame with the number of frames decoded.
        sheet: Compares frames with the contact sheet. None if there is no valid sheet.

    Raises:
        av.FFmpegError: The film cannot be decoded.
    """
    meter, count, lightest = FlashMeter(expected.fps), 0, 0
    for frame, luma in _decoded(path):
        if sheet is not None:
            sheet.offer(count, frame)
        count += 1
        lightest = max(lightest, int(luma.max()))
        meter.add(_relative(luma))
        on_frame(min(count, expected.frames))
    yield DECODED.check(f"{count} of {expected.frames} frames", holds=count == expected.frames)
    yield FLASHES.check(f"{meter.worst} per second", holds=meter.worst <= _MOST_FLASHES)
    # An author may want a black film, so this is only a warning.
    yield LIGHT.check(f"highest luma {lightest}", holds=lightest > _NOT_BLACK, excused=True)
    if sheet is not None:
        yield from sheet.checks()


def _decoded(path: Path) -> Iterator[tuple[av.VideoFrame, NDArray[np.uint8]]]:
    # Shared by all frames: creating one takes as long as scaling a frame of 1280x720.
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
    """Return the relative luminance of 8-bit luma, approximating sRGB's curve by a gamma of 2.2."""
    return ((luma.astype(np.float32) / 255) ** 2.2).astype(np.float32)
