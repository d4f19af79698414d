"""Runs: a line cut into pieces of one face, direction and script, which HarfBuzz shapes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from app.render.text import bidi, fonts
from app.render.text.breaks import joined
from app.render.text.fontfiles import Face, Family
from app.render.text.fonts import Fonts
from app.render.text.itemization import scripts
from app.render.text.shaping import Shaped, Wording, advances, length, shape

_LATIN: Final = "Latn"


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one family, direction and script.

    Attributes:
        line: The line that it is part of; letters at its ends join with those outside it.
        start: Where it begins in the line.
        end: Where it ends.
        family: The fonts that have its characters.
        backwards: Whether it is written from right to left.
        script: Four letters of ISO 15924.
        language: BCP 47, or "".
    """

    line: str
    start: int
    end: int
    family: Family
    backwards: bool
    script: str
    language: str

    @property
    def text(self) -> str:
        """Its characters."""
        return self.line[self.start : self.end]

    def face(self, *, bold: bool) -> Face:
        """Return the face in which it is drawn."""
        return self.family.face(bold=bold)

    def shaped(self, *, bold: bool) -> Shaped:
        """Return its glyphs.

        Raises:
            FontFailed: The family is a job's asset, and broken.
        """
        return shape(self._wording(bold=bold))

    def _wording(self, *, bold: bool) -> Wording:
        return Wording(
            self.face(bold=bold),
            self.line,
            self.start,
            self.end,
            self.script,
            self.backwards,
            self.language,
        )

    def advances(self, *, bold: bool) -> tuple[list[tuple[int, float]], set[int]]:
        """Return what :func:`app.render.text.shaping.advances` returns for it."""
        return advances(self._wording(bold=bold))

    def length(self, size: float, *, bold: bool) -> float:
        """Return its width in pixels at ``size`` pixels an em."""
        return length(self._wording(bold=bold)) * size

    def reach(self, size: float, *, bold: bool) -> tuple[float, float]:
        """Return how far its ink reaches above and below the base line, in pixels."""
        shaped = self.shaped(bold=bold)
        return shaped.above * size, shaped.below * size


def runs(text: str, *, rtl: bool) -> tuple[Run, ...]:
    """Cut one line into runs, as seen from the left."""
    return _runs(fonts.current(), text, rtl)


@lru_cache(maxsize=16384)
def _runs(known: Fonts, text: str, rtl: bool) -> tuple[Run, ...]:  # noqa: FBT001 - a cache key
    if not text:
        return ()
    if text.isascii() and not rtl and not known.brand:
        return (Run(text, 0, len(text), known.base, False, _LATIN, known.language),)  # noqa: FBT003
    levels, written = bidi.levels(text, rtl=rtl), scripts(text)
    kinds: list[tuple[Family | None, int, str]] = []
    for start, end, found in known.pieces(text):
        # A mark that no font has together with its letter is left out.
        family = found or (None if start and joined(text, start) else known.fallback)
        kinds += [(family, levels[at], written[at]) for at in range(start, end)]
    cuts = [at for at, (one, other) in enumerate(pairwise(kinds), 1) if one != other]
    pieces = list(pairwise([0, *cuts, len(text)]))
    order = bidi.visual_order([kinds[start][1] for start, _ in pieces])
    result = []
    for start, end in (pieces[index] for index in order):
        family, level, script = kinds[start]
        if family is None:
            continue
        language = known.language_of(script)
        result.append(Run(text, start, end, family, level % 2 == 1, script, language))
    return tuple(result)
