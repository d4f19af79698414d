"""Poster, contact sheet and thumbnails, made from the frames that are encoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.render.model.storyboard import Storyboard

#: Width and height of the poster in pixels.
POSTER: Final = (1280, 720)
#: Width and height of a thumbnail and of a cell of the contact sheet, in pixels.
CELL: Final = (480, 270)
#: Columns and rows of the contact sheet.
SHEET: Final = (4, 2)
#: Positions of the first and last cell, in fractions of the film. Fades at the ends are left out.
_SHEET_SPAN: Final = (0.05, 0.95)
#: JPEG quality. Text stays sharp, and a poster is smaller than 100 kB.
_QUALITY: Final = 88
#: Largest scale for an area filter. It is as sharp as Lanczos, has no dark halos and takes
#: an eighth of the time.
_SMALL: Final = 0.5
#: Mean and standard deviation of 8-bit luma above which a frame makes a good poster.
_MIN_MEAN, _MIN_DEVIATION = 16.0, 6.0


@dataclass(frozen=True, slots=True)
class Shot:
    """What one run adds to the stills.

    Attributes:
        cells: Cells of the contact sheet and thumbnails, by frame.
        score: How good a poster it makes, from 0 to 1; -1 if none is asked of it.
        poster: The poster. None if one before it is at least as good.
    """

    cells: dict[int, Image.Image] = field(default_factory=dict)
    score: float = -1.0
    poster: Image.Image | None = None


class Stills:
    """Collects the stills while a film is rendered.

    Any thread may call :meth:`shot`. :meth:`add` takes the shots in the order of the film.
    """

    def __init__(self, storyboard: Storyboard) -> None:
        last = max(storyboard.frames - 1, 0)
        cells = SHEET[0] * SHEET[1]
        span = np.linspace(*_SHEET_SPAN, cells)
        self._sheet_frames = [round(part * last) for part in span]
        count = storyboard.thumbnails
        self._thumb_frames = [
            min(int((i + 0.5) * storyboard.frames / count), last) for i in range(count)
        ]
        self._wanted = frozenset(self._sheet_frames + self._thumb_frames)
        self._cells: dict[int, Image.Image] = {}
        self._poster: Image.Image | None = None
        self._poster_score = -1.0
        if storyboard.poster_at is not None:
            self._poster_frames = [min(storyboard.poster_at, last)]
        else:
            self._poster_frames = [step.start + step.frames // 2 for step in storyboard.steps]

    def want(self, *, start: int, frames: int) -> bool:
        """Return whether a still needs one of the ``frames`` frames from ``start`` on."""
        run = range(start, start + frames)
        if any(frame in run for frame in self._wanted):
            return True
        return self._poster_score < 1 and any(frame in run for frame in self._poster_frames)

    def shot(self, picture: NDArray[np.uint8], *, start: int, frames: int) -> Shot:
        """Return what a run adds to the stills.

        Args:
            picture: uint8 sRGB of shape (height, width, 3).
            start: First frame that shows it.
            frames: Number of frames that show it.
        """
        run = range(start, start + frames)
        wanted = [frame for frame in self._wanted if frame in run]
        cells = dict.fromkeys(wanted, _fitted(picture, CELL)) if wanted else {}
        if self._poster_score < 1 and any(frame in run for frame in self._poster_frames):
            score = _poster_score_of(picture)
            if score > self._poster_score:
                return Shot(cells, score, _fitted(picture, POSTER))
        return Shot(cells)

    def add(self, shot: Shot) -> None:
        """Take the shot of the next run."""
        self._cells.update(shot.cells)
        if self._poster_score < 1 and shot.score > self._poster_score:
            self._poster_score, self._poster = shot.score, shot.poster

    def save(self, directory: Path) -> list[tuple[str, Path]]:
        """Write the stills to ``directory``. Return kind and path of each."""
        saved = []
        if self._poster is not None:
            saved.append(("poster", _saved(self._poster, directory / "poster.jpg")))
        sheet = Image.new("RGB", (CELL[0] * SHEET[0], CELL[1] * SHEET[1]))
        for place, frame in enumerate(self._sheet_frames):
            row, column = divmod(place, SHEET[0])
            sheet.paste(self._cells[frame], (column * CELL[0], row * CELL[1]))
        saved.append(("contact-sheet", _saved(sheet, directory / "contact-sheet.jpg")))
        for number, frame in enumerate(self._thumb_frames, start=1):
            path = directory / "thumbnails" / f"{number:02}.jpg"
            saved.append(("thumbnail", _saved(self._cells[frame], path)))
        return saved


def _fitted(picture: NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    """Return the whole ``picture`` scaled into ``size``, with black bars if the shapes differ."""
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = (max(round(width * scale), 1), max(round(height * scale), 1))
    if scale <= _SMALL:
        image = Image.fromarray(cv2.resize(picture, inner, interpolation=cv2.INTER_AREA))
    else:
        image = Image.fromarray(picture).resize(inner, Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", size)
    canvas.paste(image, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return canvas


def _poster_score_of(picture: NDArray[np.uint8]) -> float:
    """Return 1 for a picture that makes a good poster, and less for a dark or uniform one."""
    luma = np.asarray(Image.fromarray(picture).convert("L").resize((160, 90)), np.float32)
    brightness = float(luma.mean()) / _MIN_MEAN
    contrast = float(luma.std()) / _MIN_DEVIATION
    return min(brightness, 1.0) * min(contrast, 1.0)


def _saved(image: Image.Image, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    return path
