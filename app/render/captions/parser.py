"""Caption files that an author gives: SubRip and WebVTT, read as players show them.

Only what a film can use is kept: times and plain text. Nothing is lost without a word: a file
that cannot be read fails with a sentence that names the line.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.render.captions.entries import CaptionsMalformed, Entry
from app.render.captions.overlaps import stacked
from app.render.captions.subrip import parse_subrip
from app.render.captions.webvtt import is_webvtt, parse_webvtt

#: Captions of an hour have a tenth of these.
MAX_BYTES: Final = 1024 * 1024
MAX_ENTRIES: Final = 5000
#: Control characters: they are not shown, and must not hide a tag either.
_CONTROLS: Final = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: Lines that a note names.
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class CaptionFile:
    """The captions of a file.

    Attributes:
        entries: The captions by time; none overlaps the next.
        notes: What was left out, in words that follow "captions in de".
    """

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


def read_captions(path: Path) -> CaptionFile:
    """Read a SubRip or WebVTT file.

    Markup is removed, its text stays. Captions that are on screen at once become one, with all
    their lines. Captions that begin and end at the same time are left out.

    Raises:
        CaptionsMalformed: The file is something else, is malformed, or is too large.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise CaptionsMalformed(f"it has more than {MAX_BYTES} bytes")
    return parse_captions(content)


def parse_captions(content: bytes) -> CaptionFile:
    """Read the ``content`` of a file; as :func:`read_captions`."""
    lines = re.split(r"\r\n|\r|\n", _decoded(content))
    found: list[Entry] = []
    empty: list[int] = []
    for entry in (parse_webvtt if is_webvtt(lines) else parse_subrip)(lines):
        if entry.lines and entry.start == entry.end:
            empty.append(entry.number)
        elif entry.lines:
            found.append(entry)
        if len(found) > MAX_ENTRIES:
            raise CaptionsMalformed(f"it has more than {MAX_ENTRIES} captions")
    if not found:
        raise CaptionsMalformed("it has no captions")
    return CaptionFile(stacked(found), _notes(empty, len(found) + len(empty)))


def _decoded(content: bytes) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        number = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
        where = "" if wide else f"line {number}: "
        raise CaptionsMalformed(f"{where}it is not UTF-8; save the file as UTF-8") from None
    if "\0" in text[:4]:
        raise CaptionsMalformed("it is not UTF-8; save the file as UTF-8")
    return _CONTROLS.sub("", text.replace("\0", "\ufffd"))


def _notes(empty: list[int], total: int) -> tuple[str, ...]:
    if not empty:
        return ()
    lines = ", ".join(map(str, empty[:_NAMED])) + (" …" if len(empty) > _NAMED else "")
    return (f"{len(empty)} of {total} end when they begin and are left out (line {lines})",)
