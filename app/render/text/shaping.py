"""Shaping: from characters to glyphs and their places, by HarfBuzz.

All lengths are in ems. Outlines are not hinted, so advances and ink grow in proportion to the
size: a text is shaped once, however many sizes are tried.
"""

from __future__ import annotations

import re
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
#: Figures stand on the line and are as high as capitals, also in fonts whose own hang below it.
_FEATURES: Final = {"lnum": True}
#: Glyphs as HarfBuzz writes them: in "3=12#1", glyph 3 begins at character 12, with flag 1.
_FLAGS: Final = (
    hb.BufferSerializeFlags.GLYPH_FLAGS
    | hb.BufferSerializeFlags.NO_GLYPH_NAMES
    | hb.BufferSerializeFlags.NO_POSITIONS
)
_FLAGGED: Final = re.compile(r"=(\d+)#(\w+)")
_SPACE: Final = re.compile(" ")
_UNSAFE: Final = int(hb.GlyphFlags.UNSAFE_TO_BREAK)


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


@dataclass(frozen=True, slots=True)
class Wording:
    """What is shaped at once: characters of one face, script, direction and language.

    Attributes:
        face: The face of all its characters.
        line: A line; letters outside the run decide how those at its ends join.
        start: Where the run begins.
        end: Where it ends.
        script: Its script, as four letters of ISO 15924.
        rtl: Whether it is written from right to left.
        language: BCP 47, or "": chooses among the forms of a letter (OpenType ``locl``).
    """

    face: Face
    line: str
    start: int
    end: int
    script: str
    rtl: bool = False
    language: str = ""


def _buffer(wording: Wording) -> hb.Buffer:
    buffer = hb.Buffer()
    buffer.add_str(wording.line, wording.start, wording.end - wording.start)
    buffer.script, buffer.direction = wording.script, "rtl" if wording.rtl else "ltr"
    buffer.language = wording.language or "und"  # without one, that of the process's locale
    hb.shape(opened(wording.face), buffer, _FEATURES)
    return buffer


@lru_cache(maxsize=32_768)
def length(wording: Wording) -> float:
    """Return the width of a run."""
    places = _buffer(wording).glyph_positions or ()
    em: int = opened(wording.face).face.upem
    return sum([place.x_advance for place in places], 0.0) / em


def advances(wording: Wording) -> tuple[list[tuple[int, float]], set[int]]:
    """Return the place in the line and the advance of each glyph, and the bonds of a run.

    The place is that of the glyph's first character. Bonds are places before which the run may be
    shaped otherwise if it is cut there. At spaces HarfBuzz is asked; elsewhere it is taken for
    granted.
    """
    font, buffer = opened(wording.face), _buffer(wording)
    em = font.face.upem
    places = [info.cluster for info in buffer.glyph_infos]
    widths = [place.x_advance / em for place in buffer.glyph_positions or ()]
    spaces = [match.start() for match in _SPACE.finditer(wording.line)]
    spaced = {*spaces, *(place + 1 for place in spaces)}
    # Asked for one at a time, the flags take ten times as long as the shaping.
    flagged = _FLAGGED.findall(buffer.serialize(font, flags=_FLAGS))
    unsafe = {int(place) for place, flags in flagged if int(flags, 16) & _UNSAFE}
    return list(zip(places, widths, strict=True)), set(places) - spaced | unsafe


@lru_cache(maxsize=16_384)
def shape(wording: Wording) -> Shaped:
    """Return the glyphs of a run and the extents of their ink.

    Raises:
        FontFailed: The face is a job's asset, and a glyph has no outline or is absurdly large.
        OSError: The face is another one with such a glyph, or its file is gone.
    """
    face = wording.face
    return _placed(opened(face), face, _buffer(wording), wording.line)


def _placed(font: hb.Font, face: Face, buffer: hb.Buffer, text: str) -> Shaped:
    em = font.face.upem
    glyphs: list[Glyph] = []
    boxes: list[tuple[float, float, float, float]] = []
    clusters: set[int] = set()
    inked: set[int] = set()
    missing: set[int] = set()
    x = 0
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions or (), strict=True):
        box = font.get_glyph_extents(info.codepoint)
        clusters.add(info.cluster)
        if not info.codepoint:
            missing.add(info.cluster)
        if max(map(abs, (*(box or ()), *place.position))) > _FARTHEST * em:
            raise fault(face)
        if box and box.width and box.height:
            left, top = x + place.x_offset + box.x_bearing, place.y_offset + box.y_bearing
            boxes.append((-left, left + box.width, top, -top - box.height))
            glyphs.append(Glyph(info.codepoint, (x + place.x_offset) / em, place.y_offset / em))
            inked.add(info.cluster)
        x += place.x_advance
    hollow = any(text[at].isalnum() for at in clusters - inked - missing)
    if face.asset_id and hollow:  # its outlines cannot be read
        raise fault(face)
    if not glyphs:
        return Shaped((), x / em, missing=bool(missing))
    left, right, above, below = (max(sides) / em for sides in zip(*boxes, strict=True))
    return Shaped(tuple(glyphs), x / em, -left, right, above, below, bool(missing))


def fault(face: Face) -> Exception:
    """Return the error of a face with a broken glyph: that of the job's asset, if it is one."""
    if face.asset_id:
        return FontFailed(BROKEN, asset_id=face.asset_id)
    return OSError(f"{face.path.name} has a broken glyph")
