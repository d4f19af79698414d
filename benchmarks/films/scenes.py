"""The scenes of a film in plain values: what the other ways get to render.

Sizes, places, colours, line breaks and times are those of our own layout, so that all show the
same and none has to think about text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.render.assets import resolve_assets
from app.render.model.parsing import parse
from app.render.model.storyboard import Motion, Step, Storyboard
from app.render.story import layout
from app.render.story.layout import PlacedText
from app.render.story.timeline import build_storyboard
from app.render.text import fonts


def storyboard_of(payload: Mapping[str, Any], assets: Path) -> Storyboard:
    """Return the storyboard of a payload, without its recordings."""
    paths = resolve_assets(payload, asset_dir=assets)
    return build_storyboard(parse(payload, paths), narration_seconds={})


def scenes_of(storyboard: Storyboard) -> dict[str, Any]:
    """Return the film as JSON-ready values; times in seconds, places in pixels."""
    return {
        "width": storyboard.width,
        "height": storyboard.height,
        "fps": storyboard.fps,
        "scenes": [_scene(step, storyboard) for step in storyboard.steps],
    }


def _scene(step: Step, film: Storyboard) -> dict[str, Any]:
    placed = layout.place(
        step.texts,
        step.pictures,
        width=film.width,
        height=film.height,
        arrangement=step.arrangement,
    )
    background = step.background.picture
    pictures = [] if background is None else [_picture(background.path, film, (), whole=None)]
    pictures += [
        _picture(layer.picture.path, film, (*layer.motions, *step.motions), whole=rect)
        for layer, rect in placed.pictures
    ]
    return {
        "seconds": step.frames / film.fps,
        "colour": "#{:02x}{:02x}{:02x}".format(*step.background.colour),
        "pictures": pictures,
        "texts": [line for text in placed.texts for line in _lines(text, film)],
    }


def _picture(
    path: Path, film: Storyboard, motions: tuple[Motion, ...], *, whole: Any
) -> dict[str, Any]:
    zooms = [motion for motion in motions if motion.kind in ("zoom", "pan")]
    return {
        "path": str(path),
        "x": 0 if whole is None else round(whole.x),
        "y": 0 if whole is None else round(whole.y),
        "width": film.width if whole is None else round(whole.width),
        "height": film.height if whole is None else round(whole.height),
        "motion": [zooms[0].before, zooms[0].after] if zooms else None,
    }


def _lines(text: PlacedText, film: Storyboard) -> list[dict[str, Any]]:
    """Return each line of a text with the place of its top left corner."""
    block, column, span = text.block, text.text_rect, text.layer.span
    centred = text.centred or text.style.pill
    y, found = column.y, []
    family = fonts.theme_family(film.theme)
    face = family.bold if block.bold else family.regular
    for line, ascent, descent in zip(block.lines, block.ascents, block.descents, strict=True):
        free = column.width - 2 * block.overhang - line.width
        found.append(
            {
                "text": line.text,
                "font": str(face.path),
                "bold": block.bold,
                "size": round(block.size),
                "x": round(column.x + block.overhang + (free / 2 if centred else 0)),
                "y": round(y),
                "height": round(ascent + descent),
                "start": span.start / film.fps,
                "end": span.end / film.fps,
            }
        )
        y += ascent + descent
    return found
