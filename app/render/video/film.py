"""Makes a film: draws and encodes its steps, or takes them from the cache, and adds sound.

Drawing runs in its own thread, at most two pictures ahead of encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final, cast

import av
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from app.render.model.storyboard import Storyboard
from app.render.picture.compose import Compositor, Run, runs
from app.render.picture.stills import Stills
from app.render.video.ahead import Ahead
from app.render.video.encoder import Form, to_frame
from app.render.video.mux import FilmWriter
from app.render.video.segments import Coded, Segment
from app.render.video.stepcache import StepCache, Stored
from app.render.video.stepkey import StepKeys
from app.render.video.tracks import Tracks

#: Drawn pictures that may wait for the encoder. Each takes 4.5 bytes per pixel.
_AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class Film:
    """A finished film.

    Attributes:
        path: Path of the film.
        stills: Its poster, contact sheet and thumbnails.
        x264_version: Version of x264; "" for WebM.
        hits: Number of steps from the cache.
        misses: Number of steps that the cache did not have; 0 without a cache.
    """

    path: Path
    stills: Stills
    x264_version: str
    hits: int
    misses: int

    def save(self, directory: Path) -> list[tuple[str, Path]]:
        """Write the stills to ``directory``. Return kind and path of the film and of each still."""
        return [("video", self.path), *self.stills.save(directory)]


@dataclass(frozen=True, slots=True)
class _StepStart:
    """The start of a step that will be encoded: its length in frames, and its key in the cache."""

    frames: int
    key: str


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture of the current step, shown for ``frames`` frames."""

    frame: av.VideoFrame
    frames: int


def make_film(
    storyboard: Storyboard,
    directory: Path,
    *,
    form: Form,
    sound: Iterator[Packet[Any]],
    tracks: Tracks,
    cache: StepCache | None,
    on_picture: Callable[[NDArray[np.uint8], Run], None],
    on_frame: Callable[[int], None],
) -> Film:
    """Write a film to ``directory``. Its name is ``preview`` and the suffix of its container.

    Args:
        storyboard: The storyboard of the film.
        directory: Directory for the film.
        form: Format of the pictures.
        sound: Packets of the film's sound, in order.
        tracks: Captions and chapters of the film.
        cache: Cache of encoded steps; None to encode every step.
        on_picture: Called with each picture that will be encoded, and the run that shows it.
        on_frame: Called after each frame with the number of frames written.

    Raises:
        AssetFailed: A picture cannot be decoded.
    """
    path = directory / f"preview.{form.container}"
    drawing = _Drawing(storyboard, form, cache, on_picture)
    with (
        FilmWriter(path, form, sound=sound, tracks=tracks) as writer,
        Ahead(drawing.work(), depth=_AHEAD) as work,
    ):
        for coded in _coded(work, form, cache):
            writer.write(coded)
            on_frame(writer.frames)
    if cache is not None:
        cache.trim()
    return Film(path, drawing.stills, writer.x264_version, drawing.hits, drawing.misses)


class _Drawing:
    """Draws the steps that the cache does not have, and the frames that the stills need."""

    def __init__(
        self,
        storyboard: Storyboard,
        form: Form,
        cache: StepCache | None,
        on_picture: Callable[[NDArray[np.uint8], Run], None],
    ) -> None:
        self.stills = Stills(storyboard)
        self._on_picture = on_picture
        self.hits = self.misses = 0
        self._storyboard = storyboard
        self._compositor = Compositor(storyboard)
        self._cache = cache
        self._keys = None if cache is None else StepKeys(storyboard, form)

    def work(self) -> Generator[_StepStart | _Picture | Stored]:
        """Yield the cache entry of each step; without one, its start and its pictures."""
        for index, group in groupby(runs(self._storyboard), lambda run: run.step_index):
            shown = tuple(group)
            key = "" if self._keys is None else self._keys.key(index, shown)
            stored = self._cache.find(key) if self._cache else None
            if stored is None:
                self.misses += self._cache is not None
                yield _StepStart(sum(run.frames for run in shown), key)
                for run in shown:
                    picture = self._drawn(run)
                    self._on_picture(picture, run)
                    yield _Picture(to_frame(picture), run.frames)
            else:
                self.hits += 1
                for run in shown:
                    if self.stills.want(start=run.start_frame, frames=run.frames):
                        self._drawn(run)
                yield stored

    def _drawn(self, run: Run) -> NDArray[np.uint8]:
        picture = self._compositor.picture(run)
        self.stills.offer(picture, start=run.start_frame, frames=run.frames)
        return picture


def _coded(
    work: Iterator[_StepStart | _Picture | Stored], form: Form, cache: StepCache | None
) -> Iterator[Coded]:
    """Yield the encoded frames of the film. Store new steps in the cache."""
    for item in work:
        if isinstance(item, Stored):
            yield from item
        elif isinstance(item, _StepStart):
            storing = cache.keeping(item.key) if cache else nullcontext(_forget)
            with storing as keep:
                for coded in _encoded(work, item.frames, form):
                    keep(coded)
                    yield coded


def _encoded(
    work: Iterator[_StepStart | _Picture | Stored], frames: int, form: Form
) -> Iterator[Coded]:
    """Yield the encoded frames of one step. Takes only the pictures of this step from ``work``."""
    segment = Segment(form, frames=frames)
    left = frames
    while left:
        picture = cast("_Picture", next(work))  # the pictures of a step follow its start
        left -= picture.frames
        yield from segment.encode(picture.frame, frames=picture.frames)


def _forget(_: Coded) -> None:
    """Do nothing: there is no cache."""
