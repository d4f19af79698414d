"""Brand fonts: those that a job brings with it, as assets of type ``font``.

Their files come from anywhere: they are opened in the limited child process only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.render.model.request import Asset, Request
from app.render.text import fontfiles, fonts
from app.render.text.coverage import has_ink
from app.render.text.faults import BROKEN, FontFailed
from app.render.text.fontfiles import Family, NamedFace

#: Largest file of a font, in bytes: all of it is held while it is open.
MAX_BYTES: Final = 32 * 1024 * 1024
#: First bytes of fonts that are packed for the web.
_WEB: Final = (b"wOFF", b"wOF2")


@contextmanager
def job_fonts(request: Request, *, directories: Sequence[Path] = ()) -> Iterator[None]:
    """Have texts measured and drawn with the fonts of a job.

    Args:
        request: What the author asks for.
        directories: Where other fonts are installed.

    Raises:
        FontFailed: A font that it brings cannot be used; with a JSON pointer.
    """
    try:
        brand = brand_families(request.assets)
        with fonts.using(fonts.film_fonts(request, directories=directories, brand=brand)):
            yield
    except FontFailed as error:
        pointer = request.pointers[error.asset_id]
        raise FontFailed(error.fault, asset_id=error.asset_id, pointer=pointer) from error


def brand_families(assets: Iterable[Asset]) -> tuple[Family, ...]:
    """Return the families that a job brings, in the order of its assets.

    Raises:
        FontFailed: One cannot be used.
    """
    found: list[NamedFace] = []
    for asset in assets:
        if asset.type == "font":
            found.extend(_faces(asset.file, asset.id))
    return fontfiles.grouped(found)


def _faces(path: Path, asset_id: str) -> list[NamedFace]:
    size = path.stat().st_size
    if size > MAX_BYTES:
        fault = f"has {size} bytes, a font may have {MAX_BYTES}"
        raise FontFailed(fault, asset_id=asset_id)
    with path.open("rb") as file:
        if file.read(4) in _WEB:
            fault = "is a WOFF font; give it as TTF or OTF"
            raise FontFailed(fault, asset_id=asset_id)
    try:
        faces = list(fontfiles.named_faces(path, asset_id=asset_id))
    except ValueError as error:
        raise FontFailed(str(error), asset_id=asset_id) from None
    except OSError as error:
        raise FontFailed(BROKEN, asset_id=asset_id) from error
    if not faces:  # a collection may have none
        raise FontFailed(BROKEN, asset_id=asset_id)
    for found in faces:
        if not has_ink(found.face):
            raise FontFailed(BROKEN, asset_id=asset_id)
    return faces
