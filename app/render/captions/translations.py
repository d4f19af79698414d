"""Captions in other languages than the film's, from the caption files of a job."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.errors import AssetFailed, ErrorItem
from app.render.captions.cues import MAX_CUE_SECONDS, MIN_CUE_SECONDS, MIN_GAP_SECONDS, Cue
from app.render.captions.entries import CaptionsMalformed
from app.render.captions.parser import CaptionFile, read_captions
from app.render.captions.readability import MAX_LINES, readability
from app.render.model.request import Request
from app.render.model.storyboard import Storyboard


@dataclass(frozen=True, slots=True)
class Translation:
    """Captions in ``language`` (lower case), with warnings about their file."""

    language: str
    cues: tuple[Cue, ...]
    warnings: tuple[str, ...]


def read_translations(request: Request, storyboard: Storyboard) -> tuple[Translation, ...]:
    """Read the caption files of a job.

    Args:
        request: The job.
        storyboard: The film to which the captions belong.

    Raises:
        AssetFailed: A file cannot be read, or all its captions begin after the film's end.
    """
    found = []
    for asset in request.translations:
        try:
            entries = read_captions(asset.file)
            found.append(_translation(asset.language.lower(), entries, storyboard))
        except CaptionsMalformed as error:
            detail = f"asset {asset.id!r} cannot be read as captions: {error}"
            item = ErrorItem(asset.pointer, "captions-malformed", detail)
            raise AssetFailed(detail, errors=[item]) from error
    return tuple(found)


def _translation(language: str, file: CaptionFile, film: Storyboard) -> Translation:
    starts = [step.start / film.fps for step in film.steps]
    cues: list[Cue] = []
    for entry in file.entries:
        if entry.start < film.seconds:
            step = film.steps[bisect_right(starts, entry.start) - 1]
            end = min(entry.end, film.seconds)
            cues.append(Cue(len(cues) + 1, step.id, entry.start, end, entry.lines))
    if not cues:
        raise CaptionsMalformed(
            f"all its captions begin after the end of the film, which lasts {film.seconds:.1f} s"
        )
    warnings = [*file.notes, *_warnings(language, cues)]
    late = sum(entry.end > film.seconds + 1e-9 for entry in file.entries)
    if late:
        warnings.append(
            f"{late} of {len(file.entries)} end after the film, which lasts {film.seconds:.1f} s"
        )
    sentences = tuple(f"captions in {language}: {warning}" for warning in warnings)
    return Translation(language, tuple(cues), sentences)


def _warnings(language: str, cues: Sequence[Cue]) -> list[str]:
    """Return a sentence for every limit of reading that some captions exceed."""
    text = " ".join(line for cue in cues for line in cue.lines)
    limits = readability(language, text)
    seconds = [cue.end_seconds - cue.start_seconds for cue in cues]
    # A line that stays on screen needs no gap: the next cue is the same with another line.
    gaps = [
        after.start_seconds - before.end_seconds
        for before, after in pairwise(cues)
        if not set(before.lines) & set(after.lines)
    ]
    broken = {
        f"have more than {MAX_LINES} lines": [len(cue.lines) > MAX_LINES for cue in cues],
        f"have lines of more than {limits.line} characters": [
            max(map(len, cue.lines)) > limits.line for cue in cues
        ],
        f"have more than {limits.speed} characters per second": [
            cue.speed > limits.speed + 0.05 for cue in cues
        ],
        f"are shorter than {MIN_CUE_SECONDS:g} s": [s < MIN_CUE_SECONDS - 1e-6 for s in seconds],
        f"are longer than {MAX_CUE_SECONDS:g} s": [s > MAX_CUE_SECONDS + 1e-6 for s in seconds],
        f"end less than {MIN_GAP_SECONDS:g} s before the next": [
            gap < MIN_GAP_SECONDS - 1e-6 for gap in gaps
        ],
    }
    return [f"{sum(found)} of {len(cues)} {what}" for what, found in broken.items() if any(found)]
