"""Voices that read a tutorial's texts aloud: plug-ins of the entry-point group ``preview.voices``.

The name of an entry point is the ``audio.voice.provider`` that asks for it; it names a
callable without arguments that returns a :class:`app.render.sound.voice.Voice`. An installed
plug-in takes the place of the built-in voice of its name.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Final, cast

from app.errors import ErrorItem, ValidationFailed
from app.render.model.request import VOICE_POINTER, VoiceRequest
from app.render.sound.espeak import EspeakVoice
from app.render.sound.voice import DEFAULT_SPEED, Manner, Voice

#: Entry-point group of voices.
GROUP: Final = "preview.voices"
#: The built-in voice, by its provider and as pyproject.toml registers it.
BUILT_IN: Final = ("local", "app.render.sound.espeak:EspeakVoice")


def load_voice(provider: str) -> Voice:
    """Return the voice of ``provider``.

    Raises:
        ValidationFailed: There is none of that name, or several plug-ins claim it.
    """
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=provider)}
    name, built_in = BUILT_IN
    found.pop(built_in, None)
    if len(found) > 1:
        claims = ", ".join(sorted(found))
        raise unusable(f"several plug-ins are the voice {provider!r}: {claims}; keep one")
    for entry in found.values():
        return cast("Voice", entry.load()())
    if provider != name:
        raise unusable(f"no plug-in of the group {GROUP} is the voice {provider!r}")
    return EspeakVoice()


def lacking_voice(provider: str) -> str:
    """Return why the voice of ``provider`` cannot be had on this machine, "" if it can."""
    try:
        lacking = load_voice(provider).missing()
    except ValidationFailed as error:
        return error.detail
    return f"the voice {provider!r} cannot be used here: {lacking}" if lacking else ""


def unusable(detail: str) -> ValidationFailed:
    """Return the error of a voice that cannot be had here."""
    item = ErrorItem(f"{VOICE_POINTER}/provider", "voice-unavailable", detail)
    return ValidationFailed(detail, errors=[item])


def manner_of(voice: VoiceRequest) -> Manner:
    """Return how ``voice`` is to speak."""
    speed = voice.words_per_minute
    return Manner(voice.language, voice.voice_id, DEFAULT_SPEED if speed is None else speed)
