"""Draws a single frame of a film, without encoding anything.

:func:`write_still` has the signature of a renderer, and runs in the limited child process. It takes
what :meth:`app.stillrequest.StillRequest.order` returns.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.errors import ErrorItem, ValidationFailed
from app.render.engine import prepared
from app.render.model.storyboard import Storyboard
from app.render.picture.compose import Compositor, Run, step_runs
from app.render.progress import Progress
from app.render.result import RenderedFile, RenderResult
from app.stillrequest import FORMATS, StillRequest

#: What Pillow is told for each format. Text stays sharp; coding takes a few milliseconds.
_CODING: Final[Mapping[str, Mapping[str, Any]]] = {
    "jpeg": {"quality": 88, "subsampling": 0},
    "png": {"compress_level": 3},
    "webp": {"quality": 88, "method": 2},
}
#: Frames by which a moment may fall short of the frame that it names: 0.7 s × 30 is 20.999…
_ROUNDING: Final = 1e-6


def write_still(
    order: Mapping[str, Any],
    *,
    asset_dir: Path,
    out_dir: Path,
    threads: int,  # noqa: ARG001 - a renderer's arguments
    on_progress: Callable[[Progress], None],
    step_cache: object = None,  # noqa: ARG001 - as above
    fetched: Mapping[str, Path] | None = None,
    font_dirs: Sequence[Path] = (),
) -> RenderResult:
    """Write a still into ``out_dir``. It shows exactly what the film shows at its moment.

    Args:
        order: A payload that fulfils the contract, and the still.
        asset_dir: The project's own directory, for its assets.
        out_dir: Created if needed. After an exception its content is undefined.
        threads: Not used.
        on_progress: Called once.
        step_cache: Not used.
        fetched: Files of remote assets by their ids.
        font_dirs: Directories of installed fonts, used after the vendored ones.

    Raises:
        ValidationFailed: The film has no such moment or step, or cannot be rendered.
        AssetBlocked: An asset lies outside ``asset_dir``.
        AssetFailed: An asset is absent, broken or not what its type says.
    """
    on_progress(Progress("preparing"))
    still = StillRequest(**order["still"])
    payload = order["payload"]
    with prepared(
        payload, asset_dir=asset_dir, out_dir=out_dir, fetched=fetched, font_dirs=font_dirs
    ) as (_, storyboard):
        picture = Compositor(storyboard).picture(_run_of(storyboard, still))
    out_dir.mkdir(parents=True, exist_ok=True)
    content = coded(picture, still)
    (out_dir / still.file_name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file = RenderedFile("still", still.file_name, still.media_type, len(content), digest)
    return RenderResult((file,), storyboard.warnings, storyboard.seconds, storyboard.frames)


def coded(picture: NDArray[np.uint8], still: StillRequest) -> bytes:
    """Return a frame of shape (height, width, 3) in the width and format that ``still`` names."""
    content = io.BytesIO()
    image = Image.fromarray(_scaled(picture, still.width))
    image.save(content, FORMATS[still.format][0], **_CODING[still.format])
    return content.getvalue()


def _run_of(storyboard: Storyboard, still: StillRequest) -> Run:
    """Return the run of frames that a still shows.

    Raises:
        ValidationFailed: The film has no such moment or step.
    """
    if still.step is not None:
        return _longest_run(storyboard, still.step)
    at = still.at or 0.0
    frame = math.floor(at * storyboard.fps + _ROUNDING)
    if at < 0 or frame >= storyboard.frames:
        detail = f"there is no moment {at:g} s: the film lasts {storyboard.seconds:g} s"
        raise ValidationFailed(detail, errors=[ErrorItem("/at", "outside-film", detail)])
    index = next(index for index, step in enumerate(storyboard.steps) if frame < step.end)
    return Run(index, frame, 1)


def _longest_run(storyboard: Storyboard, step_id: str) -> Run:
    """Return what a step shows longest; of a step that always moves, its middle."""
    for index, step in enumerate(storyboard.steps):
        if step.id == step_id:
            middle = step.start + step.frames // 2
            return max(
                step_runs(storyboard, index),
                key=lambda run: (run.frames, -abs(run.start_frame - middle)),
            )
    known = ", ".join(step.id for step in storyboard.steps[:20])
    detail = f"there is no step {step_id!r}; the film has: {known}"
    raise ValidationFailed(detail, errors=[ErrorItem("/step", "unknown-step", detail)])


def _scaled(picture: NDArray[np.uint8], width: int | None) -> NDArray[np.uint8]:
    """Return ``picture`` of shape (height, width, 3), scaled down to ``width``."""
    if width is None or width >= picture.shape[1]:
        return picture
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
