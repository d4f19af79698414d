"""Coverage: which characters a font has glyphs for."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from functools import lru_cache
from typing import Final

from app.errors import AssetFailed
from app.render.text.fontfiles import Face, Family
from app.render.text.itemization import scripts
from app.render.text.shaping import Shaped, Wording, opened, shape

#: Characters by which the overhang of a job's font is measured.
_MEASURED: Final = "".join(map(chr, [*range(0x21, 0x7F), *range(0xC0, 0x100)]))
#: A glyph of one character that is larger, in ems, is not for a text.
_MOST_EMS: Final = 4
#: Characters without ink of their own: spaces, controls, and those that select, join or direct.
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


@lru_cache(maxsize=16384)
def covers(family: Family, cluster: str) -> bool:
    """Return whether both faces of ``family`` have glyphs for ``cluster``.

    HarfBuzz composes and decomposes letters, so either form will do. In families that are not
    vendored, a glyph that is empty or out of all proportion is none.

    Args:
        family: The family. Its bold face may be another font, with fewer characters.
        cluster: A letter with all marks on it, or an emoji.
    """
    try:
        shaped = _alone(family, cluster)
        if family.bold != family.regular and _lacks(family, cluster):
            return False
    except (OSError, AssetFailed):
        return False
    if shaped.missing or family.vendored:
        return not shaped.missing
    reach = max(-shaped.left, shaped.right, shaped.above, shaped.below, shaped.advance)
    return bool(shaped.glyphs) and reach <= _MOST_EMS


def _lacks(family: Family, cluster: str) -> bool:
    """Return whether the bold face has no glyph; one that is broken is reported when drawn."""
    with suppress(AssetFailed):
        return _alone(family, cluster, bold=True).missing
    return False


def _alone(family: Family, cluster: str, *, bold: bool = False) -> Shaped:
    face, script = family.face(bold=bold), scripts(cluster)[0]
    return shape(Wording(face, cluster, 0, len(cluster), script))


def has_ink(face: Face) -> bool:
    """Return whether any character of ``face`` has an outline or a picture."""
    font = opened(face)
    boxes = (font.get_glyph_extents(glyph) for glyph in range(font.face.glyph_count))
    return any(box and box.width and box.height for box in boxes)


@lru_cache(maxsize=64)
def overhang(family: Family) -> float:
    """Return how far the ink of a job's font reaches outside its advances, in ems."""
    most = 0.0
    for bold in (False, True):
        for char in filter(lambda char: covers(family, char), _MEASURED):
            with suppress(AssetFailed):  # a broken glyph: whoever draws it will report it
                shaped = _alone(family, char, bold=bold)
                most = max(most, -shaped.left, shaped.right - shaped.advance)
    return most


def invisible(char: str) -> bool:
    """Return whether ``char`` needs no glyph: spaces, controls, joiners, variation selectors."""
    return unicodedata.category(char) in _INVISIBLE_CATEGORIES or "\ufe00" <= char <= "\ufe0f"
