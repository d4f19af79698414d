"""Keys of the step cache: hashes of everything that determines the packets of a step or a sound.

A key covers every field of a step and its film, except those listed here without effect. So a new
field counts until it is listed. A key also covers the contents of all files, the code of the
renderer, the fonts, and the versions of libraries.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import PIL
import uharfbuzz as hb
from PIL import features

from app import __version__
from app.render.model.storyboard import Step, Storyboard
from app.render.picture.compose import Run
from app.render.text import fonts, segmentation
from app.render.text.setting import clean
from app.render.video.encoder import Form

#: Fields that have no effect on the pictures of a step, by class.
_WITHOUT_EFFECT: Final = {
    "Storyboard": {
        "title", "steps", "include_captions", "thumbnails", "poster_at", "warnings",
    },
    "Step": {"id", "start", "duration_source"},
    "Narration": {"asset_id", "path", "gain_db"},
    "Picture": {"asset_id"},
}  # fmt: skip
#: Features of Pillow that decode pictures.
_PILLOW_PARTS: Final = (
    "littlecms2", "webp", "jpg", "jpg_2000", "zlib",
)  # fmt: skip


class StepKeys:
    """Keys of the steps of one film.

    Args:
        storyboard: The film.
        form: Format of the pictures.
    """

    def __init__(self, storyboard: Storyboard, form: Form) -> None:
        self._steps = storyboard.steps
        self._plain = _Plain()
        self._film = [build_digest(), self._plain(storyboard), self._plain(form)]

    def key(self, index: int, runs: Sequence[Run]) -> str:
        """Return the key of a step.

        Args:
            index: Index of the step.
            runs: Runs of equal frames in the step.
        """
        start = self._steps[index].start
        shown = [[run.start_frame - start, run.frames] for run in runs]
        text = json.dumps([*self._film, self._seen(index), shown], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _seen(self, index: int) -> list[Any]:
        """Return everything that a step shows. A transition also shows the step before."""
        first = index - 1 if index and self._steps[index].transition else index
        steps = self._steps[first : index + 1]
        return [*map(self._plain, steps), *map(_fonts_of, steps)]


def sound_key(*parts: Any) -> str:
    """Return the key of a film's sound.

    Args:
        *parts: Everything that determines the sound: dataclasses, paths, numbers.
    """
    plain = _Plain()
    text = json.dumps([build_digest(), "sound", *map(plain, parts)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class _Plain:
    """Converts values to plain data, and paths to hashes of the files' contents."""

    def __init__(self) -> None:
        self._files: dict[Path, str] = {}

    def __call__(self, value: Any) -> Any:
        if value is None or (isinstance(value, (str, int, float)) and not isinstance(value, Enum)):
            return value
        if is_dataclass(value):
            kind: Any = type(value)
            names = _fields_with_effect(kind)
            return [kind.__name__, {name: self(getattr(value, name)) for name in names}]
        if isinstance(value, Path):
            return self._digest(value)
        if isinstance(value, (tuple, list)):
            return [self(part) for part in value]
        if isinstance(value, (frozenset, set)):
            return sorted(map(repr, value))
        return value.value if isinstance(value, Enum) else value

    def _digest(self, path: Path) -> str:
        if path not in self._files:
            with path.open("rb") as file:
                self._files[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._files[path]


@cache
def _fields_with_effect(kind: type[Any]) -> tuple[str, ...]:
    without = _WITHOUT_EFFECT.get(kind.__name__, set())
    return tuple(field.name for field in fields(kind) if field.name not in without)


def _fonts_of(step: Step) -> list[list[str]]:
    """Return the fonts of a step's texts, except the vendored ones, which the build covers."""
    texts = [text.text for text in step.texts] + [callout.label for callout in step.callouts]
    return fonts.current().signature(map(clean, texts))


@lru_cache(maxsize=1)
def build_digest() -> str:
    """Return the hash of the renderer's code, its fonts and its libraries."""
    digest = hashlib.sha256(__version__.encode())
    # The code itself counts, because it changes between releases too.
    for path in [*sorted(Path(__file__).parents[1].rglob("*.py")), *fonts.font_files()]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    versions = {
        "pyav": av.__version__,
        "libraries": {name: list(version) for name, version in av.library_versions.items()},
        "harfbuzz": hb.version_string(),
        "icu4py": segmentation.version(),
        "pillow": PIL.__version__,
        "pillow parts": {name: features.version(name) for name in _PILLOW_PARTS},
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "machine": platform.machine(),  # architectures round differently
    }
    digest.update(json.dumps(versions, sort_keys=True).encode())
    return digest.hexdigest()
