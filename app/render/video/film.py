"""The film: steps drawn, encoded or taken from the cache, and written with their sound.

Drawing runs ahead of encoding in a thread of its own, by two pictures at most.
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
from app.render.video.segments import Coded, X264Segment
from app.render.video.stepcache import StepCache, Stored
from app.render.video.stepkey import StepKeys
from app.render.video.tracks import Tracks
from app.render.video.vp9 import Vp9Segment

#: Pictures drawn before they are encoded: 4.5 bytes a pixel each.
_AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class Film:
    """A film as it was made.

    Attributes:
        path: Its file.
        stills: The pictures cut from it.
        x264_version: Of the encoder, "" for WebM.
        hits: Steps taken from the cache.
        misses: Steps encoded though there is a cache.
    """

    path: Path
    stills: Stills
    x264_version: str
    hits: int
    misses: int

    def save(self, directory: Path) -> list[tuple[str, Path]]:
        """Write the stills; return (kind, path) of the film and of each still."""
        return [("video", self.path), *self.stills.save(directory)]


@dataclass(frozen=True, slots=True)
class _Begun:
    """A step that is to be encoded: its length in frames, and its key where it is to be kept."""

    frames: int
    key: str


@dataclass(frozen=True, slots=True)
class _Shot:
    """A picture of the step that was begun last, to be shown for ``frames`` frames."""

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
    """Write the film of ``storyboard`` into ``directory``, as ``preview`` with its suffix.

    Args:
        storyboard: What to show.
        directory: Where the film is to be.
        form: What its pictures have in common.
        sound: As of :class:`app.render.video.mux.FilmWriter`.
        tracks: Captions and chapters to go into the file.
        cache: Where encoded steps are kept, None for nowhere.
        on_picture: Called with each picture that is drawn to be encoded, and when it is seen.
        on_frame: Called with the number of frames written, after each.
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
    """Draws what is not in the cache, and what the stills need."""

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

    def work(self) -> Generator[_Begun | _Shot | Stored]:
        """Yield for each step an entry of the cache, or its beginning and its pictures."""
        for index, group in groupby(runs(self._storyboard), lambda run: run.step_index):
            shown = tuple(group)
            key = "" if self._keys is None else self._keys.key(index, shown)
            stored = self._cache.find(key) if self._cache else None
            if stored is None:
                self.misses += self._cache is not None
                yield _Begun(sum(run.frames for run in shown), key)
                for run in shown:
                    picture = self._drawn(run)
                    self._on_picture(picture, run)
                    yield _Shot(to_frame(picture), run.frames)
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
    work: Iterator[_Begun | _Shot | Stored], form: Form, cache: StepCache | None
) -> Iterator[Coded]:
    """Yield the film's frames, encoded, and keep in the cache what is new."""
    for item in work:
        if isinstance(item, Stored):
            yield from item
        elif isinstance(item, _Begun):
            keeping = cache.keeping(item.key) if cache else nullcontext(_forget)
            with keeping as keep:
                for coded in _encoded(work, item.frames, form):
                    keep(coded)
                    yield coded


def _encoded(work: Iterator[_Begun | _Shot | Stored], frames: int, form: Form) -> Iterator[Coded]:
    """Yield the frames of one step; take no more of ``work`` than is its own."""
    segment = open_segment(form, frames=frames)
    left = frames
    while left:
        shot = cast("_Shot", next(work))  # a step's pictures follow its beginning
        left -= shot.frames
        yield from segment.encode(shot.frame, frames=shot.frames)


def open_segment(form: Form, *, frames: int, replay: bool = True) -> X264Segment | Vp9Segment:
    """Return what encodes a step of ``frames`` frames; without ``replay``, each of them."""
    kind = X264Segment if form.container == "mp4" else Vp9Segment
    return kind(form, frames=frames, replay=replay)


def _forget(_: Coded) -> None:
    """Keep nothing."""
