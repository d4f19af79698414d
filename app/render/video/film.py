"""Makes a film: draws and encodes its steps, or takes them from the cache, and adds sound.

Segments are drawn and encoded side by side, and written in order. Each has a thread that encodes,
and one that draws at most two pictures ahead of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

import av
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from app.render.model.limits import memory_left
from app.render.model.storyboard import Storyboard
from app.render.picture.compose import Compositor, Run, step_runs
from app.render.picture.stills import Shot, Stills
from app.render.video.abreast import Abreast
from app.render.video.ahead import Ahead
from app.render.video.encoder import Form, to_frame
from app.render.video.mux import FilmWriter
from app.render.video.segments import Coded, Segment, parted
from app.render.video.stepcache import StepCache, Stored
from app.render.video.stepkey import StepKeys
from app.render.video.tracks import Tracks

#: Drawn pictures that may wait for an encoder. Each takes 1.5 bytes per pixel.
_AHEAD: Final = 1

#: Address space for a segment, at the least and per pixel. Measured at 1080p are 155 MiB: two heaps
#: of 64 MiB, stacks, encoder, stage and pictures. The rest is for decoding large pictures.
_SEGMENT_BYTES: Final = 192 * 1024 * 1024
_PIXEL_BYTES: Final = 96

#: What is measured on a picture.
_Measures = TypeVar("_Measures")


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
class _Seen(Generic[_Measures]):
    """What was made of a picture: its stills and, if it is encoded, measures."""

    shot: Shot
    measures: _Measures | None = None


@dataclass(frozen=True, slots=True)
class _Picture(Generic[_Measures]):
    """A picture of a segment, ready to be encoded."""

    frame: av.VideoFrame
    run: Run
    seen: _Seen[_Measures]


def make_film(
    storyboard: Storyboard,
    directory: Path,
    *,
    form: Form,
    threads: int,
    sound: Iterator[Packet[Any]],
    tracks: Tracks,
    cache: StepCache | None,
    measure: Callable[[NDArray[np.uint8], Run], _Measures],
    on_measured: Callable[[_Measures], None],
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
            order and thread.
        on_measured: Called with what ``measure`` returned, in the order of the film.
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
        coded = _taken(work, stills, on_measured)
        for packet in _kept(coded, cache):
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


class _Steps(Generic[_Measures]):
    """Draws and encodes the steps that the cache does not have, and draws what stills need."""

    def __init__(
        self,
        storyboard: Storyboard,
        form: Form,
        cache: StepCache | None,
        stills: Stills,
        measure: Callable[[NDArray[np.uint8], Run], _Measures],
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

    def work(self) -> Iterator[Generator[_StepStart | _Seen[_Measures] | Coded | Stored]]:
        """Yield a generator for each cached step, and for each segment of the others."""
        for index in range(len(self._storyboard.steps)):
            shown = tuple(step_runs(self._storyboard, index))
            key = "" if self._keys is None else self._keys.key(index, shown)
            stored = self._cache.find(key) if self._cache else None
            if stored is None:
                self.misses += self._cache is not None
                start = _StepStart(sum(run.frames for run in shown), key)
                for part in parted(shown, self._form):
                    yield self._segment(part, start if part[0] is shown[0] else None)
            else:
                self.hits += 1
                yield self._known(shown, stored)

    def _segment(
        self, part: tuple[Run, ...], start: _StepStart | None
    ) -> Generator[_StepStart | _Seen[_Measures] | Coded]:
        if start is not None:
            yield start
        segment = Segment(self._form, frames=sum(run.frames for run in part))
        with Ahead(self._pictures(part), depth=_AHEAD) as pictures:
            for picture in pictures:
                yield picture.seen
                yield from segment.encode(picture.frame, frames=picture.run.frames)

    def _pictures(self, part: tuple[Run, ...]) -> Generator[_Picture[_Measures]]:
        for run, picture, shot in self._drawn(part):
            yield _Picture(to_frame(picture), run, _Seen(shot, self._measure(picture, run)))

    def _known(
        self, shown: tuple[Run, ...], stored: Stored
    ) -> Generator[_Seen[_Measures] | Stored]:
        wanted = (
            run for run in shown if self._stills.want(start=run.start_frame, frames=run.frames)
        )
        for _, _, shot in self._drawn(wanted):
            yield _Seen(shot)
        yield stored

    def _drawn(self, runs: Iterable[Run]) -> Iterator[tuple[Run, NDArray[np.uint8], Shot]]:
        compositor = self._compositors.pop() if self._compositors else Compositor(self._storyboard)
        for run in runs:
            picture = compositor.picture(run)
            yield run, picture, self._stills.shot(picture, start=run.start_frame, frames=run.frames)
        self._compositors.append(compositor)


def _taken(
    work: Iterator[_StepStart | _Seen[_Measures] | Coded | Stored],
    stills: Stills,
    on_measured: Callable[[_Measures], None],
) -> Iterator[_StepStart | Coded | Stored]:
    """Take what was seen; yield the rest."""
    for item in work:
        if not isinstance(item, _Seen):
            yield item
            continue
        stills.add(item.shot)
        if item.measures is not None:
            on_measured(item.measures)


def _kept(work: Iterator[_StepStart | Coded | Stored], cache: StepCache | None) -> Iterator[Coded]:
    """Yield the encoded frames of the film. Store new steps in the cache."""
    for item in work:
        if isinstance(item, Stored):
            yield from item
        elif isinstance(item, _StepStart):
            with cache.keeping(item.key) if cache else nullcontext(_forget) as keep:
                for coded in islice(cast("Iterator[Coded]", work), item.frames):
                    keep(coded)
                    yield coded


def _forget(_: Coded) -> None:
    """Do nothing: there is no cache."""
