"""Speech for the steps that nobody has recorded, made before the timeline is built."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from app.errors import ErrorItem, ValidationFailed
from app.render.sound.voice import lacking_voice, load_voice, unusable, wanted_voice
from app.render.story.scenes import read_scene, title_card

#: Directory of speech beside the film's files, while the film is made.
DIRECTORY: Final = ".speech"
#: Asset ids of speech begin with this, which no payload's id can.
PREFIX: Final = "speech/"
#: Shorter speech is none: the text had nothing that can be said.
_LEAST_SECONDS: Final = 0.05
#: Longest film where the options name nothing else.
_MAX_SECONDS: Final = 600.0


def with_speech(
    payload: Mapping[str, Any], assets: Mapping[str, Path], *, directory: Path
) -> tuple[Mapping[str, Any], Mapping[str, Path]]:
    """Return payload and assets with a narration for every step that has a text and none.

    Where no voice is asked for, both are returned as they are.

    Args:
        payload: A preview job that fulfils the contract.
        assets: Asset id to file.
        directory: Where the speech is written; made if need be.

    Raises:
        ValidationFailed: The voice cannot be had on this machine, or the speech alone would
            be longer than the film may be.
        RenderFailed: The voice failed.
    """
    request = payload["previewRequest"]
    wanted = wanted_voice(request)
    if wanted is None:
        return payload, assets
    provider, manner = wanted
    if lacking := lacking_voice(provider):
        raise unusable(lacking)
    voice = load_voice(provider)
    directory.mkdir(parents=True, exist_ok=True)
    limit = request.get("options", {}).get("maxDurationSec", _MAX_SECONDS)
    tracks, files, total = [], dict(assets), 0.0
    for number, (step_id, text) in enumerate(_unspoken(request, assets)):
        path = directory / f"{number:03}.wav"
        voice.speak(text, manner, path)
        seconds = _seconds(path)
        total += seconds
        if total > limit:
            detail = f"the speech alone lasts over {limit:g} s, which the film may last"
            item = ErrorItem("/previewRequest/steps", "duration-too-long", detail)
            raise ValidationFailed(
                f"{detail}: shorten texts or raise maxDurationSec", errors=[item]
            )
        if seconds >= _LEAST_SECONDS:
            tracks.append({"stepId": step_id, "assetId": PREFIX + step_id})
            files[PREFIX + step_id] = path
    audio = request["audio"]
    audio = {**audio, "narration": [*audio.get("narration", ()), *tracks]}
    return {**payload, "previewRequest": {**request, "audio": audio}}, files


def _unspoken(request: Mapping[str, Any], assets: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Yield id and text of each step that is to be spoken."""
    recorded = {track["stepId"] for track in request["audio"].get("narration", ())}
    for index, step in enumerate(request["steps"]):
        step_id = step.get("id") or f"step-{index + 1}"
        text = read_scene(step, number=0, assets=assets).spoken.strip()
        if step_id not in recorded and text:
            yield step_id, text
    if not request["steps"]:
        title = title_card(request.get("title", "").strip()).spoken
        if title:
            yield "title", title


def _seconds(path: Path) -> float:
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())
