"""Burn-in: cues become texts at the foot of the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.render.captions.cues import Cue
from app.render.captions.linebreaks import one_line
from app.render.model.areas import unit
from app.render.model.storyboard import Span, Step, Storyboard, TextLayer
from app.render.model.style import BURNT_CAPTION, style_of
from app.render.story.captionband import caption_band
from app.render.text import fonts
from app.render.text.setting import clean, paginate, set_text


def with_burnt_captions(storyboard: Storyboard, cues: Sequence[Cue]) -> Storyboard:
    """Return ``storyboard`` with ``cues`` as texts of its steps, and warnings about them.

    A cue that is too wide for two lines of this frame follows itself in parts.

    Args:
        storyboard: A film whose steps are laid out with room for captions.
        cues: Its captions; none reaches beyond its step.
    """
    steps, warnings = [], list(storyboard.warnings)
    for step in storyboard.steps:
        layers = tuple(_layers(step, storyboard, cues))
        note = fonts.missing_note("".join(clean(layer.text) for layer in layers))
        if note and (warning := f"step {step.id}: {note}") not in warnings:
            warnings.append(warning)
        steps.append(replace(step, texts=(*step.texts, *layers)))
    return replace(storyboard, steps=tuple(steps), warnings=tuple(warnings))


def _layers(step: Step, storyboard: Storyboard, cues: Sequence[Cue]) -> Iterator[TextLayer]:
    fps = storyboard.fps
    for cue in cues:
        start, end = round(cue.start_seconds * fps), round(cue.end_seconds * fps)
        if not step.start <= start < step.end:
            continue
        reached = float(start - step.start)
        pages = _pages(cue.lines, storyboard.width, storyboard.height)
        total = sum(map(len, pages))
        for page in pages:
            first, reached = round(reached), reached + (end - start) * len(page) / total
            yield TextLayer(BURNT_CAPTION, page, "captions", Span(first, round(reached)))


def _pages(lines: tuple[str, ...], width: int, height: int) -> tuple[str, ...]:
    """Return a cue's text in parts that fit the band at the least size of captions."""
    band = caption_band(width, height)
    size = style_of(BURNT_CAPTION).minimum * unit(width, height)
    text = clean("\n".join(lines))
    if len(set_text(text, width=band.width, size=size, bold=False).lines) > len(lines):
        text = clean(one_line(lines))
    return paginate(text, width=band.width, height=band.height, size=size, bold=False)
