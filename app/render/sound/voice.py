"""The interface of a voice: what a plug-in implements to read a tutorial's texts aloud."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

#: Words a minute where the payload names no speed: unhurried, for rules that are new.
DEFAULT_SPEED: Final = 160.0


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
            ValidationFailed: The voice or the language does not exist.
            RenderFailed: It could not be made.
        """
        ...
