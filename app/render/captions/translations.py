"""Captions in other languages than the film's, from the files that the payload names."""

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
    """Captions of the film in ``language`` (lower case), and what of their file is not right."""

    language: str
    cues: tuple[Cue, ...]
    warnings: tuple[str, ...]


def read_translations(request: Request, storyboard: Storyboard) -> tuple[Translation, ...]:
    """Read the caption files that a job brings in other languages than the film's.

    Args:
        request: What the author asks for.
        storyboard: What it became.

    Raises:
        AssetFailed: One is no SubRip or WebVTT, or all of it lies after the film.
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
        raise CaptionsMalformed(f"it begins after the end of the film at {film.seconds:.1f} s")
    warnings = [*file.notes, *_warnings(language, cues)]
    late = sum(entry.end > film.seconds + 1e-9 for entry in file.entries)
    if late:
        lasting = f"{late} of {len(file.entries)} last beyond the end of the film"
        warnings.append(f"{lasting} at {film.seconds:.1f} s")
    told = tuple(f"captions in {language}: {warning}" for warning in warnings)
    return Translation(language, tuple(cues), told)


def _warnings(language: str, cues: Sequence[Cue]) -> list[str]:
    """Return a sentence for every rule of reading that some captions break."""
    text = " ".join(line for cue in cues for line in cue.lines)
    limits = readability(language, text)
    seconds = [cue.end_seconds - cue.start_seconds for cue in cues]
    gaps = [after.start_seconds - before.end_seconds for before, after in pairwise(cues)]
    broken = {
        f"have more than {MAX_LINES} lines": [len(cue.lines) > MAX_LINES for cue in cues],
        f"have lines of more than {limits.line} characters": [
            max(map(len, cue.lines)) > limits.line for cue in cues
        ],
        f"are read at more than {limits.speed} characters a second": [
            cue.speed > limits.speed + 0.05 for cue in cues
        ],
        f"are shorter than {MIN_CUE_SECONDS:g} s": [s < MIN_CUE_SECONDS - 1e-6 for s in seconds],
        f"are longer than {MAX_CUE_SECONDS:g} s": [s > MAX_CUE_SECONDS + 1e-6 for s in seconds],
        f"end less than {MIN_GAP_SECONDS:g} s before the next": [
            gap < MIN_GAP_SECONDS - 1e-6 for gap in gaps
        ],
    }
    return [f"{sum(found)} of {len(cues)} {what}" for what, found in broken.items() if any(found)]
