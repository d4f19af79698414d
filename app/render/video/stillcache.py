"""Keeps stills in the step cache, so that an unchanged step is not drawn again for them.

Which frames become stills depends on the whole film. So a still is stored under the key of its step
and the first frame of its run within the step: what it shows, not its place in the film. Each entry
holds four parts, empty if they were not needed yet: the score, the cell of the contact sheet as a
PNG, the thumbnail, and the poster.
"""

from __future__ import annotations

import io

from PIL import Image

from app.render.picture.stills import Shot
from app.render.video.segments import Coded
from app.render.video.stepcache import StepCache

#: zlib level of cells. Higher levels take twice the time for a tenth fewer bytes.
_LEVEL = 1


def find_shot(cache: StepCache, key: str, frame: int) -> Shot:
    """Return the stills that are kept of a run; an empty shot if there are none.

    Args:
        cache: The cache.
        key: Key of the step.
        frame: First frame of the run, counted from the start of the step.
    """
    stored = cache.find(_key(key, frame))
    if stored is None:
        return Shot()
    score, cell, thumbnail, poster = (coded.data for coded in stored)
    return Shot(
        Image.open(io.BytesIO(cell), formats=["PNG"]) if cell else None,
        thumbnail or None,
        poster or None,
        float(score),
    )


def keep_shot(cache: StepCache, key: str, frame: int, shot: Shot) -> None:
    """Keep the stills of a run. The arguments are those of :func:`find_shot`."""
    cell = io.BytesIO()
    if shot.cell is not None:
        shot.cell.save(cell, "PNG", compress_level=_LEVEL)
    parts = (repr(shot.score).encode(), cell.getvalue(), shot.thumbnail, shot.poster)
    with cache.keeping(_key(key, frame)) as keep:
        for part in parts:
            keep(Coded(part or b"", keyframe=False))


def _key(key: str, frame: int) -> str:
    return f"{key}-{frame}"
