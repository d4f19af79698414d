"""Coverage: which characters a font has glyphs for, asked of the font itself."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from functools import lru_cache
from typing import Final

from PIL import Image, ImageFont

from app.render.text import fontfiles
from app.render.text.fontfiles import Family

#: A noncharacter: every font answers it with its .notdef glyph.
_NOTDEF: Final = "\U0010ffff"
#: Size at which glyphs are compared with .notdef; any size would do.
_PROBE_SIZE: Final = 24
#: Characters by which a job's font is measured, and the size at which it is.
_MEASURED: Final = "".join(map(chr, [*range(0x21, 0x7F), *range(0xC0, 0x100)]))
_MEASURE_SIZE: Final = 100
#: A glyph that is larger, in ems, is none that a text can have.
_MOST_EMS: Final = 4
#: Characters without ink of their own: marks that select, join or direct others.
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


@lru_cache(maxsize=64)
def _probe(family: Family) -> tuple[ImageFont.FreeTypeFont, tuple[tuple[int, int], bytes]]:
    font = fontfiles.unshaped(family.regular, family.strike or _PROBE_SIZE)
    mask = font.getmask(_NOTDEF)
    return font, (mask.size, bytes(mask))


@lru_cache(maxsize=8192)
def covers(family: Family, char: str) -> bool:
    """Return whether ``family`` has a glyph of its own for ``char``.

    Of others than the vendored families, a glyph that is empty, broken or out of all
    proportion is none.
    """
    try:
        font, notdef = _probe(family)
        if not family.vendored:
            left, top, right, bottom = font.getbbox(char, anchor="ls")
            most = _MOST_EMS * font.size
            wide = font.getlength(char)
            if right <= left or bottom <= top or max(-left, -top, right, bottom, wide) > most:
                return False
        mask = font.getmask(char)
    except (OSError, Image.DecompressionBombError):
        return False
    return (mask.size, bytes(mask)) != notdef


def overhang(family: Family) -> float:
    """Return how far the ink of a job's font reaches outside its advances, in ems."""
    most = 0.0
    for face in {family.regular, family.bold}:
        font = fontfiles.unshaped(face, family.strike or _MEASURE_SIZE)
        for char in filter(lambda char: covers(family, char), _MEASURED):
            with suppress(OSError):  # a broken glyph: whoever draws it will tell
                left, _, right, _ = font.getbbox(char, anchor="ls")
                most = max(most, -left / font.size, (right - font.getlength(char)) / font.size)
    return most


def invisible(char: str) -> bool:
    """Return whether ``char`` needs no glyph: spaces, controls, joiners, variation selectors."""
    return unicodedata.category(char) in _INVISIBLE_CATEGORIES or "\ufe00" <= char <= "\ufe0f"
