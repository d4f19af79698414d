"""The pictures cut from the film: their sizes, and whether there is something on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from app.render.inspect.rules import Check, Rule
from app.render.picture.stills import CELL, POSTER, SHEET

#: What is not black has a square of so many pixels a side that is lighter than this on
#: average (8-bit luma): a letter on a dark ground is enough.
_SQUARE, _NOT_BLACK = 8, 32
_SHEET_SIZE: Final = (CELL[0] * SHEET[0], CELL[1] * SHEET[1])

POSTER_SIZE: Final = Rule("Picture", "poster", f"JPEG, {POSTER[0]}x{POSTER[1]}", hard=True)
#: See :func:`still_checks` for when this is excused.
POSTER_LIGHT: Final = Rule("Picture", "poster-not-black", "something is to be seen", hard=True)
SHEET_SIZE: Final = Rule(
    "Picture",
    "contact-sheet",
    f"JPEG, {SHEET[0]}x{SHEET[1]} cells of {CELL[0]}x{CELL[1]}",
    hard=True,
)
THUMBNAILS: Final = Rule("Picture", "thumbnails", f"JPEG, {CELL[0]}x{CELL[1]}", hard=True)


def still_checks(
    poster: Path, sheet: Path, thumbnails: Sequence[Path], *, poster_chosen: bool = False
) -> Iterator[Check]:
    """Yield the checks of the stills.

    A poster may be black where the whole film is, or where the author chose its moment.

    Args:
        poster: The poster's file.
        sheet: The contact sheet's.
        thumbnails: Those of the thumbnails.
        poster_chosen: Whether the author chose the poster's moment.
    """
    size, light = _look(poster)
    yield POSTER_SIZE.check(_told(size), holds=size == POSTER)
    sheet_size, sheet_light = _look(sheet)
    excused = poster_chosen or sheet_light <= _NOT_BLACK
    yield POSTER_LIGHT.check(f"luma up to {light}", holds=light > _NOT_BLACK, excused=excused)
    yield SHEET_SIZE.check(_told(sheet_size), holds=sheet_size == _SHEET_SIZE)
    if not thumbnails:
        yield THUMBNAILS.not_applicable("none asked for")
        return
    sizes = {_look(path)[0] for path in thumbnails}
    told = f"{len(thumbnails)}: " + ", ".join(sorted(map(_told, sizes)))
    yield THUMBNAILS.check(told, holds=sizes == {CELL})


def _look(path: Path) -> tuple[tuple[int, int] | None, int]:
    """Return size and lightness of a picture; None and 0 where it is no JPEG."""
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            if image.width > _SHEET_SIZE[0] or image.height > POSTER[1]:
                return image.size, 0  # not one of ours; not worth the memory
            luma = np.asarray(image.convert("L").reduce(_SQUARE))
            return image.size, int(luma.max())
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None, 0


def _told(size: tuple[int, int] | None) -> str:
    return "unreadable" if size is None else f"{size[0]}x{size[1]}"
