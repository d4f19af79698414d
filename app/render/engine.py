"""The renderer: from a payload to the files of its preview, in one process.

Same payload, same assets, same build, same number of threads: the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.errors import ErrorItem, ValidationFailed
from app.render.assets import resolve_assets
from app.render.captions.cues import Cue, build_cues, caption_warnings
from app.render.captions.translations import Translation, read_translations
from app.render.captions.writer import to_srt, to_vtt
from app.render.inspect.report import finished_checks
from app.render.inspect.rules import require_quality
from app.render.manifest import describe, manifest_json
from app.render.model.chapters import chapters_json
from app.render.model.limits import StepCachePlace
from app.render.model.numbers import whole_numbers
from app.render.model.storyboard import Storyboard
from app.render.picture.decoding import pointing_into
from app.render.progress import Progress
from app.render.result import RenderedFile, RenderResult
from app.render.sound import speech
from app.render.sound.codec import CODECS
from app.render.sound.recordings import music_seconds, narration_seconds
from app.render.sound.soundtrack import Soundtrack
from app.render.sound.wishes import read_wishes
from app.render.story.timeline import DEFAULT_FORMAT, build_storyboard
from app.render.text.brandfonts import job_fonts
from app.render.text.shaping import require_shaping
from app.render.video.encoder import Container, Form
from app.render.video.film import make_film
from app.render.video.soundcache import KeptSound, soundtrack
from app.render.video.stepcache import StepCache
from app.render.video.tracks import tracks_of


def render(
    payload: Mapping[str, Any],
    *,
    asset_dir: Path,
    out_dir: Path,
    threads: int,
    on_progress: Callable[[Progress], None],
    step_cache: StepCachePlace | None = None,
    fetched: Mapping[str, Path] | None = None,
    font_dirs: Sequence[Path] = (),
) -> RenderResult:
    """Render the preview that ``payload`` describes into ``out_dir``.

    Args:
        payload: A preview job that fulfils the contract.
        asset_dir: The project's own directory, for its assets.
        out_dir: Made if need be. After an exception its content is undefined.
        threads: Encoder threads; part of what determines the film's bytes.
        on_progress: Called at each phase and after each frame.
        step_cache: Where encoded steps are kept and found again.
        fetched: Files of remote assets by their ids.
        font_dirs: Where fonts are installed, beside the vendored ones.

    Raises:
        ValidationFailed: There is nothing to show, or the film would be too long.
        AssetBlocked: An asset lies outside ``asset_dir``.
        AssetFailed: An asset is absent, broken or not what its type says.
        QualityFailed: The finished film breaks a hard rule.
        RenderFailed: This machine cannot draw texts.
    """
    require_shaping()
    on_progress(Progress("preparing"))
    payload = whole_numbers(payload)
    assets = resolve_assets(payload, asset_dir=asset_dir, fetched=fetched)
    with job_fonts(payload, assets, directories=font_dirs):
        return _made(
            payload,
            assets,
            out_dir=out_dir,
            threads=threads,
            on_progress=on_progress,
            step_cache=step_cache,
        )


def _made(
    payload: Mapping[str, Any],
    assets: Mapping[str, Path],
    *,
    out_dir: Path,
    threads: int,
    on_progress: Callable[[Progress], None],
    step_cache: StepCachePlace | None,
) -> RenderResult:
    storyboard = _storyboard(payload, assets, directory=out_dir / speech.DIRECTORY)
    translations = read_translations(payload, storyboard, assets)
    out_dir.mkdir(parents=True, exist_ok=True)
    output = _Output(out_dir)
    form = _form(payload, storyboard, threads)
    video = out_dir / f"preview.{form.container}"
    cues = build_cues(storyboard) if storyboard.include_captions else ()
    cache = _cache(step_cache)
    sound = _sound(payload, storyboard, assets, container=form.container, cache=cache)
    with pointing_into(payload):
        film = make_film(
            storyboard,
            video,
            form=form,
            sound=sound.packets(),
            tracks=tracks_of(storyboard, cues, translations),
            cache=cache,
            on_frame=lambda done: on_progress(Progress("rendering", done, storyboard.frames)),
        )
    on_progress(Progress("finishing", storyboard.frames, storyboard.frames))
    output.add("video", video)
    stills = film.stills.save(out_dir)
    for kind, path in stills:
        output.add(kind, path)
    _write_texts(storyboard, cues, translations, output)
    checks = finished_checks(
        storyboard, video=video, stills=stills, texts=film.texts, sound=sound.report, cues=cues
    )
    require_quality(checks)
    warnings = (*_warnings(storyboard, cues, translations), *sound.warnings)
    manifest = manifest_json(
        payload,
        storyboard,
        assets=assets,
        files=output.files,
        cues=cues,
        translations=translations,
        warnings=warnings,
        x264_version=film.x264_version,
        step_cache=None if step_cache is None else (film.hits, film.misses),
        sound=sound.report,
        checks=checks,
    )
    output.write("manifest", "manifest.json", manifest)
    shutil.rmtree(out_dir / speech.DIRECTORY, ignore_errors=True)  # it is in film and manifest
    return RenderResult(
        files=tuple(output.files),
        warnings=warnings,
        seconds=storyboard.seconds,
        frames=storyboard.frames,
        cache_hits=film.hits,
        cache_misses=film.misses,
    )


def _storyboard(
    payload: Mapping[str, Any], assets: Mapping[str, Path], *, directory: Path
) -> Storyboard:
    """Return the storyboard, with the speech that is made into ``directory``.

    Raises:
        ValidationFailed: There is nothing to show, or the film would be too long.
    """
    spoken, recordings = speech.with_speech(payload, assets, directory=directory)
    storyboard = build_storyboard(
        spoken, assets=recordings, narration_seconds=narration_seconds(spoken, recordings)
    )
    if not storyboard.frames:
        detail = "there is nothing to show: give steps or a title"
        item = ErrorItem("/previewRequest/steps", "nothing-to-render", detail)
        raise ValidationFailed(detail, errors=[item])
    return storyboard


def _cache(place: StepCachePlace | None) -> StepCache | None:
    if place is None:
        return None
    return StepCache(place.directory, max_bytes=place.max_mb * 1024 * 1024)


def _form(payload: Mapping[str, Any], storyboard: Storyboard, threads: int) -> Form:
    options = payload["previewRequest"].get("options", {})
    return Form(
        container=options.get("format", DEFAULT_FORMAT),
        width=storyboard.width,
        height=storyboard.height,
        fps=storyboard.fps,
        quality=storyboard.quality,
        threads=threads,
    )


def _sound(
    payload: Mapping[str, Any],
    storyboard: Storyboard,
    assets: Mapping[str, Path],
    *,
    container: Container,
    cache: StepCache | None,
) -> Soundtrack | KeptSound:
    return soundtrack(
        storyboard,
        read_wishes(payload["previewRequest"], assets),
        codec=CODECS[container],
        music_seconds=music_seconds(payload, assets),
        cache=cache,
    )


def _warnings(
    storyboard: Storyboard, cues: tuple[Cue, ...], translations: Sequence[Translation]
) -> Iterator[str]:
    yield from storyboard.warnings
    yield from caption_warnings(storyboard, cues)
    for translation in translations:
        yield from translation.warnings


def _write_texts(
    storyboard: Storyboard,
    cues: tuple[Cue, ...],
    translations: Sequence[Translation],
    output: _Output,
) -> None:
    if cues:
        _write_captions(cues, output, name="captions")
    chapters = chapters_json(storyboard)
    if chapters is not None:
        output.write("chapters", "chapters.json", chapters)
    for translation in translations:
        _write_captions(translation.cues, output, name=f"captions.{translation.language}")


def _write_captions(cues: tuple[Cue, ...], output: _Output, *, name: str) -> None:
    output.write(f"{name}.srt", f"{name}.srt", to_srt(cues).encode())
    output.write(f"{name}.vtt", f"{name}.vtt", to_vtt(cues).encode())


@dataclass(slots=True)
class _Output:
    """The files of a preview, described as they are written."""

    root: Path
    files: list[RenderedFile] = field(default_factory=list)

    def add(self, kind: str, path: Path) -> None:
        self.files.append(describe(path, kind=kind, root=self.root))

    def write(self, kind: str, name: str, content: bytes) -> None:
        path = self.root / name
        path.write_bytes(content)
        self.add(kind, path)
