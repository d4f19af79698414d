"""Imported last by the fork server: draws a small picture of each theme, and forgets it.

What that has loaded, opened and measured (fonts, ICU, glyphs, libraries that are imported on first
use) is then there in every child process, which would otherwise spend a third of the time of a
still on it. Nothing here starts a thread: a process with threads must not be forked.
"""

from __future__ import annotations

import gc
from contextlib import suppress

from app.render.captions.texts import make_texts
from app.render.model.request import Options, Request, StepRequest
from app.render.model.themes import THEMES, Theme
from app.render.picture.compose import Compositor, runs
from app.render.still import coded
from app.render.story.timeline import build_storyboard
from app.render.text.brandfonts import job_fonts
from app.stillrequest import FORMATS, StillRequest

_TEXT = "Shuffle the cards (4 of 52) and deal them; you may keep: two, “three” or none – at once!"


def _request(theme: Theme) -> Request:
    step = StepRequest("step-1", title="Set up, 1", body=_TEXT, narration=_TEXT)
    options = Options(width=320, height=180)
    return Request(
        job_id="warm-up",
        project_id="warm-up",
        dry_run=False,
        title="Warm-up",
        options=options,
        steps=(step,),
        assets=(),
        theme=theme,
    )


def warm() -> None:
    """Draw a still of each theme."""
    for theme in THEMES.values():
        request = _request(theme)
        with job_fonts(request):
            storyboard = build_storyboard(request, narration_seconds={})
            make_texts(request, storyboard)
            picture = Compositor(storyboard).picture(runs(storyboard)[-1])
    for name in FORMATS:
        coded(picture, StillRequest(width=160, format=name))


with suppress(Exception):  # what is broken here is reported by the job that needs it
    warm()
# No collection in a child looks at what is there already, and so copies its memory.
gc.collect()
gc.freeze()
