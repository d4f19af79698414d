"""The renderer: from a payload to the files of its preview, in one process.

Same payload, same assets, same build: the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from app.errors import ErrorItem, ValidationFailed
from app.render.assets import resolve_assets
from app.render.captions.texts import make_texts
from app.render.inspect.report import finished_checks
from app.render.inspect.rules import require_quality
from app.render.inspect.texts import TextMeter
from app.render.manifest import Manifest, describe
from app.render.model.limits import StepCachePlace
from app.render.model.parsing import parse
from app.render.model.request import STEPS_POINTER, Request
from app.render.model.storyboard import Storyboard
from app.render.picture.decoding import pointing_into
from app.render.progress import Progress
from app.render.result import RenderResult
from app.render.sound.codec import CODECS
from app.render.sound.recordings import music_seconds, narration_seconds
from app.render.sound.soundtrack import Soundtrack
from app.render.sound.speech import with_speech
from app.render.story.timeline import build_storyboard
from app.render.text.brandfonts import job_fonts
from app.render.video.encoder import Form
from app.render.video.film import make_film
from app.render.video.soundcache import CachedSound, soundtrack
from app.render.video.stepcache import StepCache
from app.render.video.tracks import tracks_of

#: Directory for copies of assets and for speech, removed when the film is complete.
WORK_DIRECTORY: Final = ".work"


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
        out_dir: Created if needed. After an exception its content is undefined.
        threads: Segments that are drawn and encoded side by side.
        on_progress: Called at each phase and after each frame.
        step_cache: Where encoded steps are kept and found again.
        fetched: Files of remote assets by their ids.
        font_dirs: Directories of installed fonts, used after the vendored ones.

    Raises:
        ValidationFailed: There is nothing to show, or the film would be too long.
        AssetBlocked: An asset lies outside ``asset_dir``.
        AssetFailed: An asset is absent, broken or not what its type says.
        QualityFailed: The finished film breaks a hard rule.
    """
    on_progress(Progress("preparing"))
    cache = StepCache.at(step_cache) if step_cache else None
    with prepared(
        payload, asset_dir=asset_dir, out_dir=out_dir, fetched=fetched, font_dirs=font_dirs
    ) as (request, storyboard):
        return _rendered(
            request, storyboard, out_dir, threads=threads, on_progress=on_progress, cache=cache
        )


@contextmanager
def prepared(
    payload: Mapping[str, Any],
    *,
    asset_dir: Path,
    out_dir: Path,
    fetched: Mapping[str, Path] | None,
    font_dirs: Sequence[Path],
) -> Iterator[tuple[Request, Storyboard]]:
    """Context manager in which a film can be drawn: its fonts and assets are in place.

    The arguments and errors are those of :func:`render`. On exit the working directory in
    ``out_dir`` is removed, because film and manifest hold everything.
    """
    work = out_dir / WORK_DIRECTORY
    assets = resolve_assets(payload, asset_dir=asset_dir, fetched=fetched, into=work / "assets")
    request = parse(payload, assets)
    with job_fonts(request, directories=font_dirs), pointing_into(request):
        yield request, _storyboard(request, work / "speech")
    shutil.rmtree(work, ignore_errors=True)


def _rendered(
    request: Request,
    storyboard: Storyboard,
    out_dir: Path,
    *,
    threads: int,
    on_progress: Callable[[Progress], None],
    cache: StepCache | None,
) -> RenderResult:
    texts = make_texts(request, storyboard)
    sound = _sound(request, storyboard, cache)
    meter = TextMeter(storyboard)
    out_dir.mkdir(parents=True, exist_ok=True)
    film = make_film(
        storyboard,
        out_dir,
        form=Form.of(request.options),
        threads=threads,
        sound=sound.packets(),
        tracks=tracks_of(storyboard, texts),
        cache=cache,
        measure=meter.measured,
        on_measured=meter.add,
        on_frame=lambda done: on_progress(Progress("rendering", done, storyboard.frames)),
    )
    on_progress(Progress("finishing", storyboard.frames, storyboard.frames))
    written = (*film.save(out_dir), *texts.write(out_dir))
    drawn, heard = meter.checks(), sound.report
    report = finished_checks(storyboard, written, drawn=drawn, sound=heard, texts=texts)
    require_quality(report)
    files = [describe(path, kind=kind, root=out_dir) for kind, path in written]
    warnings = (*storyboard.warnings, *texts.warnings, *sound.warnings)
    manifest = Manifest(request, storyboard, texts, film, heard, report, files, warnings)
    files = [*files, manifest.write(out_dir)]
    counts = (storyboard.seconds, storyboard.frames, film.hits, film.misses)
    return RenderResult(tuple(files), warnings, *counts)


def _storyboard(request: Request, speech_directory: Path) -> Storyboard:
    """Return the storyboard, with the speech that is made into ``speech_directory``.

    Raises:
        ValidationFailed: There is nothing to show, or the film would be too long.
    """
    spoken = with_speech(request, directory=speech_directory)
    storyboard = build_storyboard(spoken, narration_seconds=narration_seconds(spoken))
    if not storyboard.frames:
        detail = "there is nothing to show: give steps or a title"
        item = ErrorItem(STEPS_POINTER, "nothing-to-render", detail)
        raise ValidationFailed(detail, errors=[item])
    return storyboard


def _sound(
    request: Request, storyboard: Storyboard, cache: StepCache | None
) -> Soundtrack | CachedSound:
    return soundtrack(
        storyboard,
        request.sound,
        codec=CODECS[request.options.container],
        music_seconds=music_seconds(request.sound.music),
        cache=cache,
    )
