"""The built-in voice: espeak-ng, where it is installed.

It speaks some hundred languages, at two hundred times real time, and needs no model. A text
reaches it by its standard input, never by a command line.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Final

import numpy as np

from app.errors import ErrorItem, RenderFailed, ValidationFailed
from app.render.model.request import VOICE_POINTER
from app.render.sound.voice import Manner

#: Name of the program.
PROGRAM: Final = "espeak-ng"
#: A text of 4000 characters takes a second.
_TIMEOUT_SECONDS: Final = 60
#: What a voice's name may look like: it is also a path below espeak-ng's own data.
_VOICE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*")
#: espeak-ng reads what stands in these as phonemes.
_PHONEMES: Final = re.compile(r"\[(?=\[)")
#: Softer samples before the first sound are cut off, so that speech begins with its step.
_FAINT: Final = 100
#: What it may know of this process's surroundings.
_ENVIRONMENT: Final = ("PATH", "ESPEAK_DATA_PATH")


class EspeakVoice:
    """Speaks by espeak-ng."""

    def missing(self) -> str:
        """Return what must be installed, or ""."""
        if shutil.which(PROGRAM):
            return ""
        return f"{PROGRAM} is not installed: install it, give recordings, or set provider to none"

    def speak(self, text: str, manner: Manner, path: Path) -> None:
        """Write ``text``, spoken, to ``path`` as mono WAV at 22.05 kHz.

        Raises:
            ValidationFailed: espeak-ng has no such voice.
            RenderFailed: It could not be made.
        """
        names = [manner.voice_id] if manner.voice_id else _names(manner.language)
        if not any(_spoken(text, name, manner.words_per_minute, path) for name in names):
            part, name = ("voiceId", names[0]) if manner.voice_id else ("language", names[0])
            detail = f"{PROGRAM} has no voice {name!r}; see `{PROGRAM} --voices`"
            item = ErrorItem(f"{VOICE_POINTER}/{part}", "unknown-voice", detail)
            raise ValidationFailed(detail, errors=[item])
        _begin_at_once(path)


def _names(language: str) -> list[str]:
    """Return the language as espeak-ng may know it: the whole tag, or the language alone."""
    return list(dict.fromkeys([language, language.partition("-")[0]]))


def _spoken(text: str, name: str, words_per_minute: float, path: Path) -> bool:
    """Speak; return whether there is a voice of that name."""
    if not _VOICE_NAME.fullmatch(name):
        return False
    options = [
        "--stdin",
        "-b",
        "1",
        "-v",
        name,
        "-s",
        str(round(words_per_minute)),
        "-w",
        str(path),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - no shell; name and speed are checked above
            [shutil.which(PROGRAM) or PROGRAM, *options],
            input=_PHONEMES.sub("[ ", text).encode(),
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
            env={key: os.environ[key] for key in _ENVIRONMENT if key in os.environ},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RenderFailed(f"{PROGRAM} could not be run") from error
    if done.returncode:
        return False
    if not path.exists():
        raise RenderFailed(f"{PROGRAM} wrote nothing")
    return True


def _begin_at_once(path: Path) -> None:
    """Cut off the silence before the first sound."""
    with wave.open(str(path)) as file:
        form = file.getparams()
        samples = np.frombuffer(file.readframes(form.nframes), "<i2")
    heard = np.flatnonzero(np.abs(samples.astype(np.int32)) > _FAINT)
    with wave.open(str(path), "wb") as file:
        file.setparams(form)
        file.writeframes(samples[heard[0] :].tobytes() if len(heard) else b"")
