"""Makes a film: draws and encodes its steps, or takes them from the cache, and adds sound.

Segments are drawn and encoded side by side, and written in order. Each has a thread that encodes,
and one that draws at most two pictures ahead of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import av
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from app.render.model.limits import memory_left
from app.render.model.storyboard import Storyboard
from app.render.picture.compose import Compositor, Run, step_runs
from app.render.picture.stills import Shot, Stills, Wish
from app.render.video.abreast import Abreast
from app.render.video.ahead import Ahead
from app.render.video.encoder import Form, to_frame
from app.render.video.mux import FilmWriter
from app.render.video.segments import Coded, Segment, parted
from app.render.video.stepcache import StepCache, Stored
from app.render.video.stepkey import StepKeys
from app.render.video.stillcache import find_shot, keep_shot
from app.render.video.tracks import Tracks

#: Drawn pictures that may wait for an encoder. Each takes 1.5 bytes per pixel.
_AHEAD: Final = 1

#: Address space for a segment, at the least and per pixel. Measured at 1080p are 155 MiB: two heaps
#: of 64 MiB, stacks, encoder, stage and pictures. The rest is for decoding large pictures.
_SEGMENT_BYTES: Final = 192 * 1024 * 1024
_PIXEL_BYTES: Final = 96


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
    """The start of a step that is encoded: its length in frames, and its key in the cache."""

    frames: int
    key: str


@dataclass(frozen=True, slots=True)
class _Known:
    """A cached step, and its length in frames."""

    stored: Stored
    frames: int


@dataclass(frozen=True, slots=True)
class _Measures:
    """What was measured on a picture that is encoded."""

    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture of a segment, ready to be encoded."""

    frame: av.VideoFrame
    run: Run
    measures: _Measures


def make_film(
    storyboard: Storyboard,
    directory: Path,
    *,
    form: Form,
    threads: int,
    sound: Iterator[Packet[Any]],
    tracks: Tracks,
    cache: StepCache | None,
    measure: Callable[[NDArray[np.uint8], Run], Sequence[Any]],
    on_measured: Callable[[Sequence[Any]], None],
    on_frame: Callable[[int], None],
) -> Film:
    """Write a film to ``directory``. Its name is ``preview`` and the suffix of its container.

    Args:
        storyboard: The storyboard of the film.
        directory: Directory for the film.
        form: Format of the pictures.
        threads: Segments that are made side by side, or fewer where the memory limit of the process
            has no room for so many. They do not change the film.
        sound: Packets of the film's sound, in order.
        tracks: Captions and chapters of the film.
        cache: Cache of encoded steps; None to encode every step.
        measure: Called with each picture that will be encoded and the run that shows it, in any
            order and thread. Returns values that JSON holds exactly. The cache keeps them.
        on_measured: Called with what ``measure`` returned for each step, in the order of the film.
        on_frame: Called after each frame with the number of frames written.

    Raises:
        AssetFailed: A picture cannot be decoded.
    """
    path = directory / f"preview.{form.container}"
    stills = Stills(storyboard)
    steps = _Steps(storyboard, form, cache, stills, measure)
    with (
        FilmWriter(path, form, sound=sound, tracks=tracks) as writer,
        Abreast(steps.work(), threads=_affordable(threads, form)) as work,
    ):
        for packet in _taken(work, cache, on_measured):
            writer.write(packet)
            on_frame(writer.frames)
    if cache is not None:
        cache.trim()
    return Film(path, stills, writer.x264_version, steps.hits, steps.misses)


def _affordable(threads: int, form: Form) -> int:
    """Return how many of ``threads`` segments of ``form`` fit into the memory limit; at least 1."""
    left = memory_left()
    if left is None:
        return threads
    need = max(_SEGMENT_BYTES, form.width * form.height * _PIXEL_BYTES)
    return max(1, min(threads, left // need))


class _Steps:
    """Draws and encodes the steps that the cache does not have, and draws what stills need."""

    def __init__(
        self,
        storyboard: Storyboard,
        form: Form,
        cache: StepCache | None,
        stills: Stills,
        measure: Callable[[NDArray[np.uint8], Run], Sequence[Any]],
    ) -> None:
        self.hits = self.misses = 0
        self._storyboard = storyboard
        self._form = form
        self._cache = cache
        self._stills = stills
        self._measure = measure
        self._keys = None if cache is None else StepKeys(storyboard, form)
        #: Compositors that no segment uses: each still has the last frame that it drew.
        self._compositors: list[Compositor] = []

    def work(self) -> Iterator[Generator[_StepStart | _Measures | Coded | _Known]]:
        """Yield a generator for each cached step, and for each segment of the others."""
        for index in range(len(self._storyboard.steps)):
            shown = tuple(step_runs(self._storyboard, index))
            frames = sum(run.frames for run in shown)
            key = "" if self._keys is None else self._keys.key(index, shown)
            stored = self._cache.find(key) if self._cache else None
            if stored is None:
                self.misses += self._cache is not None
                for part in parted(shown, self._form):
                    start = _StepStart(frames, key) if part[0] is shown[0] else None
                    yield self._segment(part, key, start)
            else:
                self.hits += 1
                yield self._known(shown, key, _Known(stored, frames))

    def _segment(
        self, part: tuple[Run, ...], key: str, start: _StepStart | None
    ) -> Generator[_StepStart | _Measures | Coded]:
        if start is not None:
            yield start
        segment = Segment(self._form, frames=sum(run.frames for run in part))
        with Ahead(self._pictures(part, key), depth=_AHEAD) as pictures:
            for picture in pictures:
                yield picture.measures
                yield from segment.encode(picture.frame, frames=picture.run.frames)

    def _pictures(self, part: tuple[Run, ...], key: str) -> Generator[_Picture]:
        with self._compositor() as compositor:
            for run in part:
                picture = compositor.picture(run)
                wish = self._stills.wish(start=run.start_frame, frames=run.frames)
                if wish:
                    shot = self._stills.shot(picture, wish, start=run.start_frame)
                    self._stills.add(shot, start=run.start_frame, frames=run.frames)
                    if self._cache is not None:
                        keep_shot(self._cache, key, self._offset(run), shot)
                yield _Picture(to_frame(picture), run, _Measures(self._measure(picture, run)))

    def _known(self, shown: tuple[Run, ...], key: str, known: _Known) -> Generator[_Known]:
        for run in shown:
            wish = self._stills.wish(start=run.start_frame, frames=run.frames)
            if wish:
                shot = self._known_shot(run, key, wish)
                self._stills.add(shot, start=run.start_frame, frames=run.frames)
        yield known

    def _known_shot(self, run: Run, key: str, wish: Wish) -> Shot:
        """Return the stills of a run of a cached step. What the cache lacks is drawn and kept."""
        cache, offset = cast("StepCache", self._cache), self._offset(run)
        shot = find_shot(cache, key, offset)
        if not shot.grants(wish):
            with self._compositor() as compositor:
                picture = compositor.picture(run)
            shot = shot.or_else(self._stills.shot(picture, wish, start=run.start_frame))
            keep_shot(cache, key, offset, shot)
        return shot

    def _offset(self, run: Run) -> int:
        return run.start_frame - self._storyboard.steps[run.step_index].start

    @contextmanager
    def _compositor(self) -> Iterator[Compositor]:
        compositor = self._compositors.pop() if self._compositors else Compositor(self._storyboard)
        yield compositor
        self._compositors.append(compositor)


def _taken(
    work: Iterator[_StepStart | _Measures | Coded | _Known],
    cache: StepCache | None,
    on_measured: Callable[[Sequence[Any]], None],
) -> Iterator[Coded]:
    """Yield the encoded frames of the film. Take its measures, and store new steps."""
    for item in work:
        if isinstance(item, _Known):
            frames = iter(item.stored)
            yield from islice(frames, item.frames)
            (measures,) = frames
            on_measured(json.loads(measures.data))
        elif isinstance(item, _StepStart):
            found: list[Any] = []
            with cache.keeping(item.key) if cache else nullcontext(_forget) as keep:
                for coded in islice(_coded(work, found), item.frames):
                    keep(coded)
                    yield coded
                keep(Coded(json.dumps(found).encode(), keyframe=False))
            on_measured(found)


def _coded(
    work: Iterator[_StepStart | _Measures | Coded | _Known], found: list[Any]
) -> Iterator[Coded]:
    """Yield the encoded frames of a step that is made. Collect its measures in ``found``."""
    for item in work:
        if isinstance(item, _Measures):
            found += item.values
        else:
            yield cast("Coded", item)


def _forget(_: Coded) -> None:
    """Do nothing: there is no cache."""
