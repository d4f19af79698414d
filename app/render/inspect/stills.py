"""Checks poster, contact sheet and thumbnails: their sizes, and that the poster is not black."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from app.render.inspect.rules import Check, Rule
from app.render.picture.stills import CELL, POSTER, SHEET

#: A picture is not black if a square of this side in pixels has a mean 8-bit luma above this value.
#: One letter on a dark background is enough.
_SQUARE, _NOT_BLACK = 8, 32
_SHEET_SIZE: Final = (CELL[0] * SHEET[0], CELL[1] * SHEET[1])

POSTER_SIZE: Final = Rule("Picture", "poster", f"JPEG, {POSTER[0]}x{POSTER[1]}", hard=True)
#: :func:`still_checks` says when this is only a warning.
POSTER_LIGHT: Final = Rule(
    "Picture",
    "poster-not-black",
    f"mean luma above {_NOT_BLACK} in some {_SQUARE}x{_SQUARE} square",
    hard=True,
)
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

    A black poster is only a warning if the whole film is black, or if the author chose the moment.

    Args:
        poster: Path of the poster.
        sheet: Path of the contact sheet.
        thumbnails: Paths of the thumbnails.
        poster_chosen: Whether the author chose the moment of the poster.
    """
    size, light = _look(poster)
    yield POSTER_SIZE.check(_describe(size), holds=size == POSTER)
    sheet_size, sheet_light = _look(sheet)
    excused = poster_chosen or sheet_light <= _NOT_BLACK
    yield POSTER_LIGHT.check(
        f"highest mean luma {light}", holds=light > _NOT_BLACK, excused=excused
    )
    yield SHEET_SIZE.check(_describe(sheet_size), holds=sheet_size == _SHEET_SIZE)
    if not thumbnails:
        yield THUMBNAILS.not_applicable("none requested")
        return
    sizes = {_look(path)[0] for path in thumbnails}
    measured = f"{', '.join(sorted(map(_describe, sizes)))}; files: {len(thumbnails)}"
    yield THUMBNAILS.check(measured, holds=sizes == {CELL})


def _look(path: Path) -> tuple[tuple[int, int] | None, int]:
    """Return size and highest mean luma of a picture; None and 0 if it is not a JPEG."""
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            if image.width > _SHEET_SIZE[0] or image.height > POSTER[1]:
                return image.size, 0  # too large to be one of ours, so it is not decoded
            luma = np.asarray(image.convert("L").reduce(_SQUARE))
            return image.size, int(luma.max())
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None, 0


def _describe(size: tuple[int, int] | None) -> str:
    return "unreadable" if size is None else f"{size[0]}x{size[1]}"
