"""Font files: the families that they hold."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import uharfbuzz as hb

#: Endings of the names of font files. What a file is, its first bytes say.
SUFFIXES: Final = (".ttf", ".otf", ".ttc")
#: First bytes of TrueType and OpenType fonts, and of collections of them.
_SINGLE: Final = (b"\0\1\0\0", b"OTTO", b"true")
_COLLECTION: Final = b"ttcf"
#: Most faces of a collection that are looked at; Noto's CJK fonts have ten.
_MAX_FACES: Final = 32
#: Names of styles by preference: for regular text, and for bold.
_REGULAR: Final = ("regular", "book", "roman", "normal", "medium", "light")
_BOLD: Final = ("bold", "semibold", "demibold", "extrabold", "black", "heavy")
#: Weights of regular and bold text (CSS Fonts 4, ``font-weight``).
_WEIGHTS: Final = {"Regular": 400.0, "Bold": 700.0}
#: From this weight on, a variable font has a bold of its own.
_SEMIBOLD: Final = 600.0
#: The table directory of a font, which holds the checksums of all tables, is at the beginning.
_DIRECTORY_BYTES: Final = 64 * 1024
#: A font is an emoji font if it has a colour glyph for one of these.
_EMOJI: Final = (0x1F600, 0x1F3B2, 0x2764, 0x26A1, 0x1F1E6)


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a font file, at one weight.

    It is part of cache keys. A file that was replaced has other faces.

    Attributes:
        path: The file.
        index: Index of the face in a collection.
        asset_id: Id of the job's asset that the file is, or "".
        size: Size of the file, in bytes.
        changed_ns: When the file was changed.
        weight: Value on the weight axis of a variable font; None for a static font.
    """

    path: Path
    index: int = 0
    asset_id: str = ""
    size: int = 0
    changed_ns: int = 0
    weight: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A regular and a bold face. Compared by identity, because it is part of many cache keys.

    Attributes:
        name: The name that the font gives itself.
        regular: Face of regular text.
        bold: Face of headings; the regular face if there is no other.
        emoji: Whether its glyphs are coloured pictures of emoji.
        vendored: Whether it is part of this package.
    """

    name: str
    regular: Face
    bold: Face
    emoji: bool = False
    vendored: bool = False

    def face(self, *, bold: bool) -> Face:
        """Return the face of bold or of regular text."""
        return self.bold if bold else self.regular


@dataclass(frozen=True, slots=True)
class NamedFace:
    """A face with the names that its file gives it."""

    face: Face
    family: str
    style: str
    emoji: bool


def named_faces(path: Path, *, asset_id: str = "") -> Iterator[NamedFace]:
    """Yield the faces of a font file; of a variable font, one for regular and one for bold text.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a font, or is broken; the message says which.
    """
    stat = path.stat()
    with path.open("rb") as file:
        head = file.read(12)
    for index in range(_count(head)):
        face = Face(path, index, asset_id, stat.st_size, stat.st_mtime_ns)
        yield from _named(face)


class BrokenFont(ValueError):
    """A file that begins as a font has no usable face."""


def _count(head: bytes) -> int:
    if head[:4] in _SINGLE:
        return 1
    if head[:4] == _COLLECTION and len(head) == 12:  # noqa: PLR2004 - what was asked for
        return min(int.from_bytes(head[8:], "big"), _MAX_FACES)
    raise ValueError("is not a TrueType or OpenType font (TTF, OTF or TTC)")


def _named(face: Face) -> Iterator[NamedFace]:
    found = hb.Face(hb.Blob.from_file_path(str(face.path)), face.index)
    _require_sound(found, face.path)
    predefined = hb.OTNameIdPredefined
    family = _name(found, predefined.TYPOGRAPHIC_FAMILY, predefined.FONT_FAMILY) or face.path.stem
    style = _name(found, predefined.TYPOGRAPHIC_SUBFAMILY, predefined.FONT_SUBFAMILY)
    emoji = _is_emoji(found)
    axis = next((axis for axis in found.axis_infos if axis.tag == "wght"), None)
    if axis is None:
        yield NamedFace(face, family, style, emoji)
        return
    slant = " Italic" if "italic" in style.casefold() else ""
    for name, weight in _WEIGHTS.items():
        if name == "Regular" or axis.max_value >= _SEMIBOLD:
            clamped = min(max(weight, axis.min_value), axis.max_value)
            yield NamedFace(replace(face, weight=clamped), family, name + slant, emoji)


def _require_sound(found: hb.Face, path: Path) -> None:
    """Refuse what HarfBuzz would read as a font without glyphs, or as one that is cut short."""
    if not found.glyph_count or not found.unicodes:
        raise BrokenFont("is a broken font")
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == _COLLECTION:
            file.seek(12 + 4 * found.index)
            file.seek(int.from_bytes(file.read(4), "big"))
            head = file.read(12)
        records = file.read(16 * int.from_bytes(head[4:6], "big"))
        if len(records) % 16:
            raise BrokenFont("is a broken font")
    for place in range(0, len(records), 16):
        start, length = struct.unpack(">II", records[place + 8 : place + 16])
        if start + length > size:
            raise BrokenFont("is a broken font")


def _name(found: hb.Face, *ids: hb.OTNameIdPredefined) -> str:
    return next((name for name in map(found.get_name, ids) if name), "")


def _is_emoji(found: hb.Face) -> bool:
    if not (found.has_color_paint or found.has_color_layers or found.has_color_png):
        return False
    font = hb.Font(found)
    glyphs = (font.get_nominal_glyph(code) for code in _EMOJI)
    return any(glyph and has_colour(font, glyph) for glyph in glyphs)


def has_colour(font: hb.Font, glyph: int) -> bool:
    """Return whether ``glyph`` is a coloured picture (COLR, CBDT or sbix)."""
    face = font.face
    if face.has_color_paint and face.glyph_has_color_paint(glyph):
        return True
    if face.has_color_layers and face.get_glyph_color_layers(glyph):
        return True
    return bool(face.has_color_png and len(font.get_glyph_color_png(glyph) or b""))


def grouped(faces: Iterable[NamedFace]) -> tuple[Family, ...]:
    """Return families, in the order of their first faces.

    The names of styles decide which face is regular and which is bold. An italic face is
    taken only if there is no other.
    """
    families: dict[tuple[str, bool], list[NamedFace]] = {}
    for found in faces:
        families.setdefault((found.family, found.emoji), []).append(found)
    return tuple(_family(name, members) for (name, _), members in families.items())


def _family(name: str, faces: Sequence[NamedFace]) -> Family:
    regular = min(faces, key=lambda face: _rank(face.style, _REGULAR))
    bold = min(faces, key=lambda face: _rank(face.style, _BOLD))
    heavy = bold if _rank(bold.style, _BOLD) < len(_BOLD) else regular
    return Family(name, regular.face, heavy.face, regular.emoji)


def _rank(style: str, wanted: Sequence[str]) -> int:
    plain = style.casefold().replace(" ", "").replace("-", "")
    return wanted.index(plain) if plain in wanted else len(wanted)


def installed_families(directories: Sequence[Path]) -> tuple[Family, ...]:
    """Return the families in ``directories``: by directory, then sans serif first, then by name.

    Directories below them are not looked at. A file that is not a font, or is broken, is left
    out: characters that it alone has are reported as missing.
    """
    families: list[Family] = []
    names: set[tuple[str, bool]] = set()
    for directory in directories:
        faces = [face for path in font_files(directory) for face in _readable(path)]
        found = sorted(grouped(faces), key=lambda family: (not _is_sans(family.name), family.name))
        families += [family for family in found if (family.name, family.emoji) not in names]
        names |= {(family.name, family.emoji) for family in found}
    return tuple(families)


def _is_sans(name: str) -> bool:
    """Return whether a family looks like the vendored ones, by its name."""
    return "Sans" in name.split()


def font_files(directory: Path) -> tuple[Path, ...]:
    """Return the font files of a directory, sorted by name; none if it cannot be read."""
    try:
        return tuple(
            sorted(path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES)
        )
    except OSError:
        return ()


def broken_files(directory: Path) -> tuple[Path, ...]:
    """Return the font files of a directory that hold no usable face."""
    return tuple(path for path in font_files(directory) if not _readable(path))


def _readable(path: Path) -> list[NamedFace]:
    try:
        return list(named_faces(path))
    except (OSError, ValueError):
        return []


@lru_cache(maxsize=256)
def fingerprint(face: Face) -> str:
    """Return a hash that tells one face from another with the same names.

    The directory at the beginning of a font has the checksums of all its tables, so a large
    installed file is not read to its end at every render. Nothing verifies these checksums:
    a job's own font, which may come from anywhere, is read whole.
    """
    digest = hashlib.sha256(f"{face.index} {face.size} {face.weight}\n".encode())
    with face.path.open("rb") as file:
        digest.update(file.read(-1 if face.asset_id else _DIRECTORY_BYTES))
    return digest.hexdigest()
