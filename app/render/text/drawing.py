"""Drawing set text onto a picture."""

from __future__ import annotations

from PIL import Image

from app.render.model.themes import Colour
from app.render.text.masks import STEPS, ink
from app.render.text.runs import Run, runs
from app.render.text.setting import Block


def draw_block(
    canvas: Image.Image,
    block: Block,
    *,
    x: float,
    y: float,
    width: float,
    centred: bool,
    fill: Colour,
    silhouette: Colour | None = None,
) -> None:
    """Draw ``block`` with its top at ``y``, in the column that begins at ``x``.

    Lines stand in the middle, or at the side where their script begins. Emoji have
    colours of their own, unless ``silhouette`` gives them one.
    """
    for line, ascent, descent in zip(block.lines, block.ascents, block.descents, strict=True):
        free = width - 2 * block.overhang - line.width
        left = x + block.overhang + (free / 2 if centred else free if block.rtl else 0.0)
        for run in runs(line.text, rtl=block.rtl):
            draw_run(
                canvas,
                run,
                (left, round(y + ascent)),
                size=block.size,
                bold=block.bold,
                fill=fill if not run.family.emoji else silhouette,
            )
            left += run.length(block.size, bold=block.bold)
        y += ascent + descent


def draw_run(
    canvas: Image.Image,
    run: Run,
    place: tuple[float, int],
    *,
    size: float,
    bold: bool,
    fill: Colour | None,
) -> None:
    """Draw ``run`` on ``canvas``.

    Args:
        canvas: Changed.
        run: What to draw.
        place: x of its beginning and y of its base line, in pixels.
        size: Pixels an em.
        bold: Whether in the bold face.
        fill: Colour of its glyphs; None for emoji in their own colours.

    Raises:
        FontFailed: The font is a job's asset, and broken.
    """
    steps = round(place[0] * STEPS)
    drawn = ink(run, size, bold=bold, step=steps % STEPS)
    if drawn is None:
        return
    corner = (steps // STEPS + drawn.left, place[1] - drawn.above)
    box = (*corner, corner[0] + drawn.picture.width, corner[1] + drawn.picture.height)
    canvas.paste(drawn.picture if fill is None else fill, box, mask=drawn.picture)
