"""Poster, contact sheet and thumbnails, made from the frames that are encoded."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
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
class Wish:
    """What the stills need of the picture of a run."""

    cell: bool
    thumbnail: bool
    poster: bool

    def __bool__(self) -> bool:
        return self.cell or self.thumbnail or self.poster


@dataclass(frozen=True, slots=True)
class Shot:
    """Stills of one picture. They do not depend on its place in the film.

    Attributes:
        cell: Cell of the contact sheet.
        thumbnail: Thumbnail as a JPEG.
        poster: Poster as a JPEG. None if a poster before it is at least as good.
        score: How good a poster it makes, from 0 to 1.
    """

    cell: Image.Image | None = None
    thumbnail: bytes | None = None
    poster: bytes | None = None
    score: float = -1.0

    def or_else(self, other: Shot) -> Shot:
        """Return a shot with the stills of both. Its own come first."""
        own = self.poster is not None
        return Shot(
            self.cell or other.cell,
            self.thumbnail or other.thumbnail,
            self.poster if own else other.poster,
            self.score if own else other.score,
        )

    def grants(self, wish: Wish) -> bool:
        """Return whether it has everything that ``wish`` names."""
        return not (
            (wish.cell and self.cell is None)
            or (wish.thumbnail and self.thumbnail is None)
            or (wish.poster and self.poster is None)
        )


class Stills:
    """Collects the stills while a film is rendered.

    Any thread may call its methods, in any order of the runs.
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
        self._cells: dict[int, Image.Image] = {}
        self._thumbnails: dict[int, bytes] = {}
        self._poster: bytes | None = None
        #: Score of the poster and, negated, the first frame of its run: the earlier of two wins.
        self._poster_rank = (-1.0, 0)
        self._lock = Lock()
        if storyboard.poster_at is not None:
            self._poster_frames = [min(storyboard.poster_at, last)]
        else:
            self._poster_frames = [step.start + step.frames // 2 for step in storyboard.steps]

    def wish(self, *, start: int, frames: int) -> Wish:
        """Return what the stills need of the run of ``frames`` frames from ``start`` on."""
        run = range(start, start + frames)
        return Wish(
            cell=any(frame in run for frame in self._sheet_frames),
            thumbnail=any(frame in run for frame in self._thumb_frames),
            poster=self._poster_rank < (1.0, -start)
            and any(frame in run for frame in self._poster_frames),
        )

    def shot(self, picture: NDArray[np.uint8], wish: Wish, *, start: int) -> Shot:
        """Return the stills of a picture.

        Args:
            picture: uint8 sRGB of shape (height, width, 3).
            wish: The stills to make.
            start: First frame of its run.
        """
        cell = _fitted(picture, CELL) if wish.cell or wish.thumbnail else None
        thumbnail = _coded(cell) if wish.thumbnail and cell is not None else None
        score = _poster_score_of(picture) if wish.poster else -1.0
        better = wish.poster and (score, -start) > self._poster_rank
        poster = _coded(_fitted(picture, POSTER)) if better else None
        return Shot(cell if wish.cell else None, thumbnail, poster, score)

    def add(self, shot: Shot, *, start: int, frames: int) -> None:
        """Take the shot of the run of ``frames`` frames from ``start`` on."""
        run = range(start, start + frames)
        candidate = any(frame in run for frame in self._poster_frames)
        with self._lock:
            if shot.cell is not None:
                self._cells |= {frame: shot.cell for frame in self._sheet_frames if frame in run}
            if shot.thumbnail is not None:
                thumbnails = (frame for frame in self._thumb_frames if frame in run)
                self._thumbnails |= dict.fromkeys(thumbnails, shot.thumbnail)
            rank = (shot.score, -start)
            if candidate and shot.poster is not None and rank > self._poster_rank:
                self._poster_rank, self._poster = rank, shot.poster

    def save(self, directory: Path) -> list[tuple[str, Path]]:
        """Write the stills to ``directory``. Return kind and path of each."""
        saved = []
        if self._poster is not None:
            saved.append(("poster", _saved(self._poster, directory / "poster.jpg")))
        sheet = Image.new("RGB", (CELL[0] * SHEET[0], CELL[1] * SHEET[1]))
        for place, frame in enumerate(self._sheet_frames):
            row, column = divmod(place, SHEET[0])
            sheet.paste(self._cells[frame], (column * CELL[0], row * CELL[1]))
        saved.append(("contact-sheet", _saved(_coded(sheet), directory / "contact-sheet.jpg")))
        for number, frame in enumerate(self._thumb_frames, start=1):
            path = directory / "thumbnails" / f"{number:02}.jpg"
            saved.append(("thumbnail", _saved(self._thumbnails[frame], path)))
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


def _coded(image: Image.Image) -> bytes:
    """Return ``image`` as a JPEG."""
    coded = io.BytesIO()
    image.save(coded, "JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    return coded.getvalue()


def _saved(coded: bytes, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(coded)
    return path
