"""The renderer: from a payload to the files of its preview, in one process.

Same payload, same assets, same build, same number of threads: the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from app.errors import AssetFailed, ErrorItem, ValidationFailed
from app.render.assets import resolve_assets
from app.render.audio import Mix, probe_seconds
from app.render.captions import build_cues, caption_warnings, to_srt, to_vtt
from app.render.chapters import chapters_json
from app.render.compose import Compositor, runs
from app.render.encoder import FilmEncoder
from app.render.manifest import describe, manifest_json
from app.render.progress import Progress
from app.render.result import RenderedFile, RenderResult
from app.render.stills import Stills
from app.render.timeline import build_storyboard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from app.render.captions import Cue
    from app.render.storyboard import Storyboard

#: Name of the film's file.
VIDEO_NAME: Final = "preview.mp4"


def render(
    payload: Mapping[str, Any],
    *,
    asset_dir: Path,
    out_dir: Path,
    threads: int,
    on_progress: Callable[[Progress], None],
) -> RenderResult:
    """Render the preview that ``payload`` describes into ``out_dir``.

    Args:
        payload: A preview job that fulfils the contract.
        asset_dir: The project's own directory, for its assets.
        out_dir: Made if need be. After an exception its content is undefined.
        threads: Encoder threads; part of what determines the film's bytes.
        on_progress: Called at each phase and after each frame.

    Raises:
        ValidationFailed: There is nothing to show, or the film would be too long.
        AssetBlocked: An asset lies outside ``asset_dir``.
        AssetFailed: An asset is absent, broken or not what its type says.
    """
    on_progress(Progress("preparing"))
    assets = resolve_assets(payload, asset_dir=asset_dir)
    storyboard = build_storyboard(
        payload, assets=assets, narration_seconds=_narration_seconds(payload, assets)
    )
    if not storyboard.frames:
        detail = "there is nothing to show: give steps or a title"
        item = ErrorItem("/previewRequest/steps", "nothing-to-render", detail)
        raise ValidationFailed(detail, errors=[item])
    out_dir.mkdir(parents=True, exist_ok=True)
    output = _Output(out_dir)
    sound = Mix(storyboard)
    stills, x264_version = _film(storyboard, sound, out_dir / VIDEO_NAME, threads, on_progress)
    on_progress(Progress("finishing", storyboard.frames, storyboard.frames))
    output.add("video", out_dir / VIDEO_NAME)
    for kind, path in stills.save(out_dir):
        output.add(kind, path)
    cues = build_cues(storyboard) if storyboard.include_captions else ()
    _write_texts(storyboard, cues, output)
    warnings = (
        *storyboard.warnings,
        *caption_warnings(storyboard, cues),
        *sound.warnings,
    )
    manifest = manifest_json(
        payload,
        storyboard,
        assets=assets,
        files=output.files,
        cues=cues,
        warnings=warnings,
        x264_version=x264_version,
    )
    output.write("manifest", "manifest.json", manifest)
    return RenderResult(tuple(output.files), warnings, storyboard.seconds, storyboard.frames)


def _narration_seconds(payload: Mapping[str, Any], assets: Mapping[str, Path]) -> dict[str, float]:
    """Measure every narration, once each."""
    seconds: dict[str, float] = {}
    for index, entry in enumerate(payload["previewRequest"].get("audio", {}).get("narration", ())):
        asset_id = entry["assetId"]
        if asset_id in seconds:
            continue
        try:
            seconds[asset_id] = probe_seconds(assets[asset_id], asset_id=asset_id)
        except AssetFailed as error:
            pointer = f"/previewRequest/audio/narration/{index}/assetId"
            item = ErrorItem(pointer, "asset-not-playable", error.detail)
            raise AssetFailed(error.detail, errors=[item]) from error
    return seconds


def _film(
    storyboard: Storyboard,
    sound: Mix,
    path: Path,
    threads: int,
    on_progress: Callable[[Progress], None],
) -> tuple[Stills, str]:
    """Encode the film; return the stills cut from it and the version of its encoder."""
    stills = Stills(storyboard)
    compositor = Compositor(storyboard)
    with FilmEncoder(
        path,
        width=storyboard.width,
        height=storyboard.height,
        fps=storyboard.fps,
        quality=storyboard.quality,
        threads=threads,
        sound=sound.blocks(),
    ) as encoder:

        def on_frame() -> None:
            on_progress(Progress("rendering", encoder.frames, storyboard.frames))

        for run in runs(storyboard):
            picture = compositor.picture(run)
            stills.offer(picture, start=run.start_frame, frames=run.frames)
            opens_step = run.start_frame == storyboard.steps[run.step_index].start
            encoder.write_run(picture, frames=run.frames, keyframe=opens_step, on_frame=on_frame)
    return stills, encoder.x264_version


def _write_texts(storyboard: Storyboard, cues: tuple[Cue, ...], output: _Output) -> None:
    if cues:
        output.write("captions.srt", "captions.srt", to_srt(cues).encode())
        output.write("captions.vtt", "captions.vtt", to_vtt(cues).encode())
    chapters = chapters_json(storyboard)
    if chapters is not None:
        output.write("chapters", "chapters.json", chapters)


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
