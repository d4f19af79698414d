"""Speech for the steps that nobody has recorded, made before the timeline is built."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.errors import ErrorItem, ValidationFailed
from app.render.model.request import STEPS_POINTER, Asset, NarrationTrack, Request
from app.render.sound.voices import lacking_voice, load_voice, manner_of, unusable
from app.render.story.scenes import read_scene, title_card

#: Asset ids of speech begin with this, which no payload's id can.
PREFIX: Final = "speech/"
#: Shorter speech is none: the text had nothing that can be said.
_LEAST_SECONDS: Final = 0.05


def with_speech(request: Request, *, directory: Path) -> Request:
    """Return ``request`` with a narration for every step that has a text and none.

    Where no voice is asked for, the request is returned as it is.

    Args:
        request: What the author asks for.
        directory: Where the speech is written. Created if it does not exist.

    Raises:
        ValidationFailed: The voice cannot be had on this machine, or the speech alone would
            be longer than the film may be.
        RenderFailed: The voice failed.
    """
    if request.voice is None:
        return request
    if lacking := lacking_voice(request.voice.provider):
        raise unusable(lacking)
    voice, manner = load_voice(request.voice.provider), manner_of(request.voice)
    directory.mkdir(parents=True, exist_ok=True)
    tracks, total = [], 0.0
    for number, (step_id, text) in enumerate(_unspoken(request)):
        path = directory / f"{number:03}.wav"
        voice.speak(text, manner, path)
        seconds = _seconds(path)
        total += seconds
        _check_length(total, request.options.max_seconds)
        if seconds >= _LEAST_SECONDS:
            asset = Asset(PREFIX + step_id, "audio", path, pointer=STEPS_POINTER)
            tracks.append(NarrationTrack(step_id, asset, pointer=STEPS_POINTER))
    return replace(request, narrations=(*request.narrations, *tracks))


def _check_length(seconds: float, limit: float) -> None:
    if seconds <= limit:
        return
    detail = f"the speech alone lasts over {limit:g} s, which the film may last"
    item = ErrorItem(STEPS_POINTER, "duration-too-long", detail)
    raise ValidationFailed(f"{detail}: shorten texts or raise maxDurationSec", errors=[item])


def _unspoken(request: Request) -> Iterator[tuple[str, str]]:
    """Yield the id and the text of each step that needs speech."""
    recorded = {track.step_id for track in request.narrations}
    for step in request.steps:
        text = read_scene(step).spoken.strip()
        if step.id not in recorded and text:
            yield step.id, text
    if not request.steps and request.title:
        yield "title", title_card(request.title).spoken


def _seconds(path: Path) -> float:
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())
