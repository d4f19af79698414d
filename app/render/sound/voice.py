"""Voices that read a tutorial's texts aloud: plug-ins of the entry-point group ``preview.voices``.

The name of an entry point is the ``audio.voice.provider`` that asks for it; it names a
callable without arguments that returns a :class:`Voice`. An installed plug-in takes the
place of the built-in voice of its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Protocol, cast

from app.errors import ErrorItem, ValidationFailed
from app.render.sound.espeak import EspeakVoice
from app.render.story.narrations import DEFAULT_LANGUAGE

#: Entry-point group of voices.
GROUP: Final = "preview.voices"
#: The built-in voice, by its provider and as pyproject.toml registers it.
BUILT_IN: Final = ("local", "app.render.sound.espeak:EspeakVoice")
#: Words a minute where the payload names no speed: unhurried, for rules that are new.
DEFAULT_SPEED: Final = 160.0
#: Where a payload asks for a voice.
POINTER: Final = "/previewRequest/audio/voice"


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak.

    Attributes:
        language: BCP 47 tag of the text.
        voice_id: The voice's own name of one of its voices, "" for the language's usual one.
        words_per_minute: Speed.
    """

    language: str
    voice_id: str = ""
    words_per_minute: float = DEFAULT_SPEED


class Voice(Protocol):
    """Makes speech. The same text in the same manner gives the same samples."""

    def missing(self) -> str:
        """Return what this machine lacks to use the voice, "" for nothing."""
        ...

    def speak(self, text: str, manner: Manner, path: Path) -> None:
        """Write ``text``, spoken, to ``path``: 16-bit WAV that begins with the first sound.

        Raises:
            ValidationFailed: There is no such voice or language.
            RenderFailed: It could not be made.
        """
        ...


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
    item = ErrorItem(f"{POINTER}/provider", "voice-unavailable", detail)
    return ValidationFailed(detail, errors=[item])


def wanted_voice(request: Mapping[str, Any]) -> tuple[str, Manner] | None:
    """Return provider and manner that ``previewRequest`` asks for, None where it asks for none."""
    voice = request["audio"].get("voice", {})
    provider = voice.get("provider", "none")
    if provider == "none":
        return None
    language = request.get("options", {}).get("language", DEFAULT_LANGUAGE)
    manner = Manner(
        language=voice.get("language", language),
        voice_id=voice.get("voiceId", "").strip(),
        words_per_minute=voice.get("wordsPerMinute", DEFAULT_SPEED),
    )
    return str(provider), manner
