"""The texts of a preview: its captions in every language, and its chapters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.render.captions.cues import Cue, build_cues, caption_warnings
from app.render.captions.translations import Translation, read_translations
from app.render.captions.writer import to_srt, to_vtt
from app.render.model.chapters import chapters_json
from app.render.model.request import Request
from app.render.model.storyboard import Storyboard


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a preview.

    Attributes:
        cues: Captions in the film's own language.
        translations: Captions in other languages.
        chapters: The list of chapters as JSON, or None.
        warnings: What viewers may notice.
    """

    cues: tuple[Cue, ...] = ()
    translations: tuple[Translation, ...] = ()
    chapters: bytes | None = None
    warnings: tuple[str, ...] = ()

    def write(self, directory: Path) -> Iterator[tuple[str, Path]]:
        """Write every text into ``directory``; yield kind and path of each file."""
        if self.cues:
            yield from _write_captions(self.cues, directory, "captions")
        if self.chapters is not None:
            yield "chapters", _written(directory / "chapters.json", self.chapters)
        for translation in self.translations:
            name = f"captions.{translation.language}"
            yield from _write_captions(translation.cues, directory, name)


def make_texts(request: Request, storyboard: Storyboard) -> Texts:
    """Return the texts of ``storyboard``.

    Raises:
        AssetFailed: A caption file of the job cannot be read.
    """
    cues = build_cues(storyboard) if storyboard.include_captions else ()
    translations = read_translations(request, storyboard)
    warnings = [*caption_warnings(storyboard, cues)]
    for translation in translations:
        warnings.extend(translation.warnings)
    return Texts(cues, translations, chapters_json(storyboard), tuple(warnings))


def _write_captions(
    cues: tuple[Cue, ...], directory: Path, name: str
) -> Iterator[tuple[str, Path]]:
    for suffix, text in (("srt", to_srt(cues)), ("vtt", to_vtt(cues))):
        yield f"{name}.{suffix}", _written(directory / f"{name}.{suffix}", text.encode())


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
