"""Font files: the families that they hold, and faces of them opened at a size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

#: How a font file may be called; what it is, its first bytes say.
SUFFIXES: Final = (".ttf", ".otf", ".ttc")
#: First bytes of TrueType and OpenType fonts, and of collections of them.
_SINGLE: Final = (b"\0\1\0\0", b"OTTO", b"true")
_COLLECTION: Final = b"ttcf"
#: Most faces of a collection that are looked at; Noto's CJK fonts have ten.
_MAX_FACES: Final = 32
#: Size at which an outline font is first opened; any would do.
_OUTLINE_SIZE: Final = 24
#: Sizes of bitmaps, for fonts that have nothing else: Noto Color Emoji has 109 pixels an em.
_STRIKES: Final = (109, 136, 128, 160)
#: Styles by preference: what stands for regular, and what for bold.
_REGULAR: Final = ("regular", "book", "roman", "normal", "medium", "light")
_BOLD: Final = ("bold", "semibold", "demibold", "extrabold", "black", "heavy")
#: An open face holds its whole file in its address space, which is limited: large
#: files (CJK fonts have 20 MB) are kept open at few sizes.
_LARGE_BYTES: Final = 2 * 1024 * 1024
#: So much of a file holds the checksums of all its tables.
_DIRECTORY_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a file: part of cache keys, so a file that was replaced has other faces.

    Attributes:
        path: The file.
        index: Which of its faces.
        asset_id: The job's asset that it is, "" for others.
        size: Of the file, in bytes.
        changed_ns: When the file was changed.
    """

    path: Path
    index: int = 0
    asset_id: str = ""
    size: int = 0
    changed_ns: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Faces that belong together. Compared by identity: it is part of many cache keys.

    Attributes:
        name: The font's own name.
        regular: Face of plain text.
        bold: Face of headings; the regular one where there is no other.
        strike: Pixels an em of its glyphs, where they are pictures of that size alone; else 0.
        vendored: Whether it is part of this package.
    """

    name: str
    regular: Face
    bold: Face
    strike: int = 0
    vendored: bool = False

    def face(self, *, bold: bool) -> Face:
        """Return the face of bold text or of plain text."""
        return self.bold if bold else self.regular


@dataclass(frozen=True, slots=True)
class NamedFace:
    """A face with the names that its file gives it."""

    face: Face
    family: str
    style: str
    strike: int


def opened(face: Face, size: float) -> ImageFont.FreeTypeFont:
    """Return ``face`` at ``size`` pixels an em, shaped by HarfBuzz.

    Raises:
        OSError: It cannot be read, or has no glyphs of that size.
    """
    return _large(face, size) if face.size > _LARGE_BYTES else _small(face, size)


def unshaped(face: Face, size: float) -> ImageFont.FreeTypeFont:
    """Return ``face`` for looking at single glyphs; nothing is joined or put in their place.

    Raises:
        OSError: As for :func:`opened`.
    """
    basic = ImageFont.Layout.BASIC
    return ImageFont.truetype(face.path, size, index=face.index, layout_engine=basic)


def _open(face: Face, size: float) -> ImageFont.FreeTypeFont:
    raqm = ImageFont.Layout.RAQM
    return ImageFont.truetype(face.path, size, index=face.index, layout_engine=raqm)


_small: Final = lru_cache(maxsize=256)(_open)
_large: Final = lru_cache(maxsize=4)(_open)


def named_faces(path: Path, *, asset_id: str = "") -> Iterator[NamedFace]:
    """Yield the faces of a font file.

    Raises:
        OSError: The file cannot be read, or is no font.
        ValueError: It is none of an allowed format; the message says what it may be.
    """
    stat = path.stat()
    for index in range(_count(path)):
        face = Face(path, index, asset_id, stat.st_size, stat.st_mtime_ns)
        font, strike = _first_opened(face)
        family, style = font.getname()
        yield NamedFace(face, family or path.stem, style or "", strike)


def _count(path: Path) -> int:
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] in _SINGLE:
        return 1
    if head[:4] == _COLLECTION and len(head) == 12:  # noqa: PLR2004 - what was asked for
        return min(int.from_bytes(head[8:], "big"), _MAX_FACES)
    raise ValueError("is no TrueType or OpenType font (TTF, OTF or TTC)")


def _first_opened(face: Face) -> tuple[ImageFont.FreeTypeFont, int]:
    try:
        return _open(face, _OUTLINE_SIZE), 0
    except OSError as error:
        for size in _STRIKES:
            try:
                return _open(face, size), size
            except OSError:
                continue
        raise error from None


def grouped(faces: Iterable[NamedFace]) -> tuple[Family, ...]:
    """Return families, in the order of their first faces.

    A family is one regular face and one bold, chosen by the names of their styles: an
    italic one is taken only where there is no other.
    """
    families: dict[tuple[str, int], list[NamedFace]] = {}
    for found in faces:
        families.setdefault((found.family, found.strike), []).append(found)
    return tuple(_family(name, strike, members) for (name, strike), members in families.items())


def _family(name: str, strike: int, faces: Sequence[NamedFace]) -> Family:
    regular = min(faces, key=lambda face: _rank(face.style, _REGULAR))
    bold = min(faces, key=lambda face: _rank(face.style, _BOLD))
    heavy = bold if _rank(bold.style, _BOLD) < len(_BOLD) else regular
    return Family(name, regular.face, heavy.face, strike)


def _rank(style: str, wanted: Sequence[str]) -> int:
    plain = style.casefold().replace(" ", "").replace("-", "")
    return wanted.index(plain) if plain in wanted else len(wanted)


def installed_families(directories: Sequence[Path]) -> tuple[Family, ...]:
    """Return the families in ``directories``: in their order, then sorted by name.

    Their own files count, not those of directories below. A file that is no font, or
    is broken, is left out: what it alone has is told as missing.
    """
    families: list[Family] = []
    names: set[tuple[str, int]] = set()
    for directory in directories:
        faces = [face for path in font_files(directory) for face in _readable(path)]
        found = sorted(grouped(faces), key=lambda family: family.name)
        families += [family for family in found if (family.name, family.strike) not in names]
        names |= {(family.name, family.strike) for family in found}
    return tuple(families)


def font_files(directory: Path) -> tuple[Path, ...]:
    """Return the font files of a directory, sorted by name; none when it cannot be read."""
    try:
        return tuple(
            sorted(path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES)
        )
    except OSError:
        return ()


def broken_files(directory: Path) -> tuple[Path, ...]:
    """Return the font files of a directory that hold no face that can be used."""
    return tuple(path for path in font_files(directory) if not _readable(path))


def _readable(path: Path) -> list[NamedFace]:
    try:
        return list(named_faces(path))
    except (OSError, ValueError):
        return []


@lru_cache(maxsize=256)
def fingerprint(face: Face) -> str:
    """Return what tells one face from another with the same names, as a hash.

    A font begins with a directory that has the checksums of all its tables: a large file
    that is installed need not be read to its end at every render. Nobody checks them,
    so a job's own font, which may come from anywhere, is.
    """
    digest = hashlib.sha256(f"{face.index} {face.size}\n".encode())
    with face.path.open("rb") as file:
        digest.update(file.read(-1 if face.asset_id else _DIRECTORY_BYTES))
    return digest.hexdigest()
