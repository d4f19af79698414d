"""Drawing set text onto a picture."""

from __future__ import annotations

from PIL import Image

from app.render.model.storyboard import Colour
from app.render.text.glyphs import runs
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
            run.draw(
                canvas,
                (round(left), round(y + ascent)),
                size=block.size,
                bold=block.bold,
                fill=fill,
                silhouette=silhouette,
            )
            left += run.length(block.size, bold=block.bold)
        y += ascent + descent
