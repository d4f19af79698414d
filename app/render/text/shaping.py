"""Shaping: from characters to glyphs and their places, by HarfBuzz.

All lengths are in ems. Outlines are not hinted, so advances and ink grow in proportion to the
size: a text is shaped once, however many sizes are tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import uharfbuzz as hb

from app.render.text.faults import BROKEN, FontFailed
from app.render.text.fontfiles import Face

#: Faces that are kept open. An open face maps its file into memory.
_OPEN: Final = 256
#: A glyph whose ink reaches further than this from its origin, in ems, is broken. The widest
#: real one, U+FDFD, is about 11 ems wide.
_FARTHEST: Final = 32.0


@dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph and the place of its origin.

    Attributes:
        id: Its index in the face.
        x: Distance from the beginning of the run, to the right.
        y: Distance above the base line.
    """

    id: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Shaped:
    """Glyphs of a run from left to right, with the extents of their ink.

    Attributes:
        glyphs: Those that have ink.
        advance: Width of the run.
        left: Left edge of the ink; negative if it begins before the run.
        right: Right edge.
        above: How far the ink reaches above the base line.
        below: How far it reaches below; negative if all of it is above.
        missing: Whether the face lacks a glyph for some of its characters.
    """

    glyphs: tuple[Glyph, ...]
    advance: float
    left: float = 0.0
    right: float = 0.0
    above: float = 0.0
    below: float = 0.0
    missing: bool = False


@lru_cache(maxsize=_OPEN)
def opened(face: Face) -> hb.Font:
    """Return ``face`` at its weight, scaled to its own units.

    Raises:
        OSError: The file is gone or cannot be read.
    """
    with face.path.open("rb"):  # HarfBuzz does not say why it cannot
        pass
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(face.path)), face.index))
    if face.weight is not None:
        font.set_variations({"wght": face.weight})
    return font


@lru_cache(maxsize=_OPEN)
def metrics(face: Face) -> tuple[float, float]:
    """Return ascent and descent of ``face``, in ems, both positive."""
    font = opened(face)
    extents = font.get_font_extents("ltr")
    return extents.ascender / font.face.upem, -extents.descender / font.face.upem


@lru_cache(maxsize=16384)
def shape(
    face: Face, text: str, start: int, end: int, *, script: str, rtl: bool, language: str
) -> Shaped:
    """Return the glyphs of ``text[start:end]``.

    Args:
        face: The face of all its characters.
        text: A line; letters outside the run decide how those at its ends join.
        start: Where the run begins.
        end: Where it ends.
        script: Its script, as four letters of ISO 15924.
        rtl: Whether it is written from right to left.
        language: BCP 47, or "": chooses among the forms of a letter (OpenType ``locl``).

    Raises:
        FontFailed: The face is a job's asset, and a glyph has no outline or is absurdly large.
    """
    font = opened(face)
    buffer = hb.Buffer()
    buffer.add_str(text, start, end - start)
    buffer.script, buffer.direction = script, "rtl" if rtl else "ltr"
    buffer.language = language or "und"
    hb.shape(font, buffer)
    return _placed(font, face, buffer, text)


def _placed(font: hb.Font, face: Face, buffer: hb.Buffer, text: str) -> Shaped:
    em = font.face.upem
    glyphs: list[Glyph] = []
    boxes: list[tuple[float, float, float, float]] = []
    clusters: set[int] = set()
    inked: set[int] = set()
    missing = False
    x = 0
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions or (), strict=True):
        box = font.get_glyph_extents(info.codepoint)
        missing |= not info.codepoint
        clusters.add(info.cluster)
        if box and box.width and box.height:
            if max(map(abs, box)) > _FARTHEST * em:
                raise _fault(face)
            left, top = x + place.x_offset + box.x_bearing, place.y_offset + box.y_bearing
            boxes.append((-left, left + box.width, top, -top - box.height))
            glyphs.append(Glyph(info.codepoint, (x + place.x_offset) / em, place.y_offset / em))
            inked.add(info.cluster)
        x += place.x_advance
    hollow = any(text[at].isalnum() for at in clusters - inked)
    if face.asset_id and hollow and not missing:  # its outlines cannot be read
        raise _fault(face)
    if not glyphs:
        return Shaped((), x / em, missing=missing)
    left, right, above, below = (max(sides) / em for sides in zip(*boxes, strict=True))
    return Shaped(tuple(glyphs), x / em, -left, right, above, below, missing)


def _fault(face: Face) -> Exception:
    if face.asset_id:
        return FontFailed(BROKEN, asset_id=face.asset_id)
    return OSError(f"{face.path.name} has a broken glyph")
