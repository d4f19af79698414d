"""Inspects a finished preview by its files alone. Runs in the limited child process.

Whoever inspects a preview may have it from anywhere: its media are as untrusted as a
job's assets. So :func:`inspect` takes the arguments of a renderer, reads ``asset_dir``
and leaves its findings as a file of plain data in ``out_dir``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import av
from PIL import Image

from app.render.inspect.captions import ReadCue, caption_checks, no_caption_checks, read_cues
from app.render.inspect.files import MANIFEST, MAX_TEXT_BYTES, file_checks, listed_files
from app.render.inspect.frames import frame_checks
from app.render.inspect.manifest import manifest_checks
from app.render.inspect.motion import motion_checks
from app.render.inspect.rules import REPORT, TABLES, Check, Expected, Rule, to_json
from app.render.inspect.sheet import SheetMeter
from app.render.inspect.sound import decoded, sound_checks
from app.render.inspect.stills import still_checks
from app.render.inspect.tracks import onset_checks, track_checks
from app.render.inspect.video import DEMUXERS, video_checks
from app.render.inspect.words import word_check
from app.render.progress import Progress
from app.render.result import RenderedFile, RenderResult

#: What comes of a file that is not what its name says.
_UNREADABLE: Final = (
    av.FFmpegError, OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
    RecursionError, Image.DecompressionBombError,
)  # fmt: skip

READABLE: Final = Rule("Files", "readable", "every file can be read", hard=True)


def inspect(
    payload: Mapping[str, Any],  # noqa: ARG001 - a renderer's arguments
    *,
    asset_dir: Path,
    out_dir: Path,
    threads: int,  # noqa: ARG001 - as above
    on_progress: Callable[[Progress], None],
    step_cache: object = None,  # noqa: ARG001 - as above
    fetched: Mapping[str, Path] | None = None,  # noqa: ARG001 - as above
    font_dirs: object = (),  # noqa: ARG001 - as above
) -> RenderResult:
    """Write the findings about the preview in ``asset_dir`` to ``out_dir``.

    Args:
        payload: Not looked at.
        asset_dir: The preview.
        out_dir: Made if need be.
        threads: Not looked at.
        on_progress: Called after each frame that was decoded.
        step_cache: Not looked at.
        fetched: Not looked at.
        font_dirs: Not looked at.
    """
    checks = preview_checks(asset_dir, on_progress)
    out_dir.mkdir(parents=True, exist_ok=True)
    content = json.dumps(to_json(checks)).encode()
    (out_dir / REPORT).write_bytes(content)
    file = RenderedFile("report", REPORT, "application/json", len(content), "")
    return RenderResult(files=(file,), warnings=(), seconds=0.0, frames=0)


def preview_checks(directory: Path, on_progress: Callable[[Progress], None]) -> list[Check]:
    """Return every check of the preview in ``directory``, in the tables' order.

    A file that is broken breaks the rule ``readable``; what it would have told is missing.
    """
    on_progress(Progress("measuring"))
    try:
        with (directory / MANIFEST).open("rb") as file:
            manifest = json.loads(file.read(MAX_TEXT_BYTES))
        expected = Expected.of_manifest(manifest)
        files = listed_files(directory, manifest)
    except _UNREADABLE as error:
        return [READABLE.check(f"{MANIFEST}: {_told(error)}", holds=False)]
    checks: list[Check] = []
    broken: list[str] = []

    def collect(name: str, found: Iterator[Check]) -> None:
        try:
            checks.extend(found)
        except _UNREADABLE as error:
            broken.append(f"{name}: {_told(error)}")

    def on_frame(count: int) -> None:
        on_progress(Progress("measuring", count, expected.frames))

    video = next(iter(files.get("video", ())), None)
    if video is None or video.suffix not in DEMUXERS:
        broken.append("no film")
    else:
        collect(video.name, video_checks(video, expected))
        sheet = _sheet(files, expected)
        collect(video.name, frame_checks(video, expected, on_frame, sheet=sheet))
        collect(video.name, sound_checks(video, manifest))
        collect(video.name, onset_checks(manifest["timeline"], decoded(video)))
        collect(video.name, _tracks(video, files))
    if "poster" in files and "contact-sheet" in files:
        stills = still_checks(
            files["poster"][0], files["contact-sheet"][0], files.get("thumbnail", [])
        )
        collect("stills", stills)
    collect("captions", _captions(files, manifest, expected))
    collect("captions", _told_checks(files, manifest))
    collect(MANIFEST, motion_checks(manifest["timeline"], fps=expected.fps))
    collect(MANIFEST, file_checks(directory, manifest))
    collect(MANIFEST, _recorded({check.rule for check in checks}, manifest))
    checks.append(READABLE.check("; ".join(broken) or "all", holds=not broken))
    return sorted(checks, key=lambda check: TABLES.index(check.table))


def _captions(
    files: Mapping[str, list[Path]], manifest: Mapping[str, Any], expected: Expected
) -> Iterator[Check]:
    subtitles = _subtitles(files)
    if not subtitles:
        yield from no_caption_checks()
    for path in subtitles:
        own = path.stem.partition(".")[2]  # captions.de.srt
        srt, vtt = (
            read_cues(_text(file), escaped=file.suffix == ".vtt")
            for file in (path, path.with_suffix(".vtt"))
        )
        told = manifest.get("captions", {})
        language = own or str(told.get("language", ""))
        authored = own in told.get("languages", ())  # those come from files
        yield from caption_checks(srt, vtt, expected, language=language, authored=authored)


def _subtitles(files: Mapping[str, list[Path]]) -> list[Path]:
    """Return the SubRip files, that of the film's own language first."""
    paths = [path for kind in files for path in files[kind] if kind.startswith("captions")]
    found = [path for path in paths if path.suffix == ".srt"]
    return sorted(found, key=lambda path: (path.stem.count("."), path.name))


def _cues(path: Path) -> tuple[ReadCue, ...]:
    return read_cues(_text(path), escaped=False)


def _tracks(video: Path, files: Mapping[str, list[Path]]) -> Iterator[Check]:
    yield from track_checks(video, [_cues(path) for path in _subtitles(files)])


def _told_checks(files: Mapping[str, list[Path]], manifest: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks of the film's own captions against what its manifest tells."""
    cues = next((_cues(path) for path in _subtitles(files) if path.stem == "captions"), ())
    yield word_check(cues, manifest["timeline"])
    yield from manifest_checks(manifest, cues)


def _sheet(files: Mapping[str, list[Path]], expected: Expected) -> SheetMeter | None:
    """Return what compares frames with the contact sheet; a bad one is told with the stills."""
    try:
        return SheetMeter(files["contact-sheet"][0], expected)
    except (KeyError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_TEXT_BYTES).decode()


def _recorded(known: Container[str], manifest: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks that only the renderer could make, as its manifest tells."""
    recorded = map(Check.of_json, manifest.get("quality", {}).get("checks", ()))
    yield from (check for check in recorded if check.rule not in known)


def _told(error: Exception) -> str:
    # Their messages may hold paths of this machine; their kind says enough.
    return str(error) if isinstance(error, ValueError | KeyError) else type(error).__name__
