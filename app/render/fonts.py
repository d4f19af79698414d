"""The vendored fonts: which one has a character, and sized faces of them.

Only fonts of this package are used, never the system's: the same text gives
the same pixels on every machine.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

#: Where the font files lie.
FONT_DIRECTORY: Final = Path(__file__).parent / "fonts"
#: Families in the order in which they are asked for a character.
FAMILIES: Final = (
    "NotoSans",
    "NotoSansArabic",
    "NotoSansHebrew",
    "NotoSansSymbols2",
    "NotoSansSymbols",
)
#: The family of Latin text, of missing glyphs and of line heights.
BASE_FAMILY: Final = FAMILIES[0]
#: A noncharacter: every font answers it with its .notdef glyph.
_NOTDEF: Final = "\U0010ffff"
#: Size at which glyphs are compared with .notdef; any size would do.
_PROBE_SIZE: Final = 24
#: A note about missing glyphs names so many of them.
_NAMED: Final = 20
#: Characters without ink of their own: marks that select, join or direct others.
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


def font_files() -> tuple[Path, ...]:
    """Return every vendored font file, sorted by name."""
    return tuple(sorted(FONT_DIRECTORY.glob("*.ttf")))


def _path(family: str, *, bold: bool) -> Path:
    path = FONT_DIRECTORY / f"{family}-Bold.ttf"
    return path if bold and path.exists() else FONT_DIRECTORY / f"{family}-Regular.ttf"


@lru_cache(maxsize=256)
def face(family: str, size: float, bold: bool) -> ImageFont.FreeTypeFont:  # noqa: FBT001 - a cache key
    """Return ``family`` at ``size`` pixels an em, shaped by HarfBuzz."""
    path = _path(family, bold=bold)
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.RAQM)


@lru_cache(maxsize=len(FAMILIES))
def _probe(family: str) -> tuple[ImageFont.FreeTypeFont, tuple[tuple[int, int], bytes]]:
    path = _path(family, bold=False)
    font = ImageFont.truetype(path, _PROBE_SIZE, layout_engine=ImageFont.Layout.BASIC)
    mask = font.getmask(_NOTDEF)
    return font, (mask.size, bytes(mask))


@lru_cache(maxsize=8192)
def covers(family: str, char: str) -> bool:
    """Return whether ``family`` has a glyph of its own for ``char``."""
    font, notdef = _probe(family)
    mask = font.getmask(char)
    return (mask.size, bytes(mask)) != notdef


def invisible(char: str) -> bool:
    """Return whether ``char`` needs no glyph: spaces, controls, joiners, variation selectors."""
    return unicodedata.category(char) in _INVISIBLE_CATEGORIES or "\ufe00" <= char <= "\ufe0f"


def family_of(char: str, *, previous: str) -> str | None:
    """Return the family that draws ``char``, or None when no font has it.

    ``previous`` is kept for characters that belong to their neighbours, so
    that marks, spaces and punctuation do not break a run apart.
    """
    if invisible(char):
        return previous
    if not char.isalnum() and covers(previous, char):
        return previous
    return next((family for family in FAMILIES if covers(family, char)), None)


def missing_note(text: str) -> str:
    """Return which characters of ``text`` no font has, in words; "" when there are none."""
    missing = missing_characters(text)
    if not missing:
        return ""
    names = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:_NAMED])
    return f"no font has {names}" + (
        f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    )


def missing_characters(text: str) -> tuple[str, ...]:
    """Return the characters of ``text`` that no font has, each once, in order."""
    found = (c for c in text if family_of(c, previous=BASE_FAMILY) is None)
    return tuple(dict.fromkeys(found))
