"""Inspects a finished preview by its files alone, in a child process with limits.

A preview may come from anywhere, so its media are as untrusted as the assets of a job. That is why
:func:`inspect` has the signature of a renderer: it reads the preview from ``asset_dir`` and writes
its report as JSON to ``out_dir``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import av
from PIL import Image

from app.render.inspect.captions import ParsedCue, caption_checks, no_caption_checks, read_cues
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

#: Raised for a file that is not what its name says.
_UNREADABLE: Final = (
    av.FFmpegError, OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
    RecursionError, Image.DecompressionBombError,
)  # fmt: skip

READABLE: Final = Rule("Files", "readable", "every file can be read", hard=True)


def inspect(
    _payload: Mapping[str, Any],
    *,
    asset_dir: Path,
    out_dir: Path,
    on_progress: Callable[[Progress], None],
    **_ignored: object,
) -> RenderResult:
    """Write the report on the preview in ``asset_dir`` to ``out_dir``.

    The other arguments of a renderer are accepted and ignored.

    Args:
        asset_dir: Directory of the preview.
        out_dir: Directory for the report. Created if it does not exist.
        on_progress: Called after each decoded frame.
    """
    checks = preview_checks(asset_dir, on_progress)
    out_dir.mkdir(parents=True, exist_ok=True)
    content = json.dumps(to_json(checks)).encode()
    (out_dir / REPORT).write_bytes(content)
    file = RenderedFile("report", REPORT, "application/json", len(content), "")
    return RenderResult(files=(file,), warnings=(), seconds=0.0, frames=0)


def preview_checks(directory: Path, on_progress: Callable[[Progress], None]) -> list[Check]:
    """Return every check of the preview in ``directory``, in the order of the tables.

    A file that cannot be read breaks the rule ``readable``, and its own checks are missing.

    Args:
        directory: Directory of the preview.
        on_progress: Called after each decoded frame.
    """
    on_progress(Progress("measuring"))
    try:
        with (directory / MANIFEST).open("rb") as file:
            manifest = json.loads(file.read(MAX_TEXT_BYTES))
        expected = Expected.from_manifest(manifest)
        files = listed_files(directory, manifest)
    except _UNREADABLE as error:
        return [READABLE.check(f"{MANIFEST}: {_describe(error)}", holds=False)]
    checks: list[Check] = []
    unreadable: dict[str, None] = {}  # in order; several checks may find the same fault

    def collect(name: str, found: Iterator[Check]) -> None:
        try:
            checks.extend(found)
        except _UNREADABLE as error:
            unreadable[f"{name}: {_describe(error)}"] = None

    def on_frame(count: int) -> None:
        on_progress(Progress("measuring", count, expected.frames))

    video = next(iter(files.get("video", ())), None)
    if video is None or video.suffix not in DEMUXERS:
        unreadable["the manifest lists no MP4 or WebM film"] = None
    else:
        collect(video.name, video_checks(video, expected))
        sheet = _sheet(files, expected)
        collect(video.name, frame_checks(video, expected, on_frame, sheet=sheet))
        collect(video.name, sound_checks(video, manifest))
        collect(video.name, onset_checks(manifest["timeline"], decoded(video)))
        collect("tracks", _tracks(video, files))
    if "poster" in files and "contact-sheet" in files:
        stills = still_checks(
            files["poster"][0], files["contact-sheet"][0], files.get("thumbnail", [])
        )
        collect("stills", stills)
    collect("captions", _captions(files, manifest, expected))
    collect("captions", _manifest_checks(files, manifest))
    collect(MANIFEST, motion_checks(manifest["timeline"], fps=expected.fps))
    collect(MANIFEST, file_checks(directory, manifest))
    collect(MANIFEST, _recorded({check.rule for check in checks}, manifest))
    checks.append(READABLE.check("; ".join(unreadable) or "all", holds=not unreadable))
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
        captions = manifest.get("captions", {})
        language = own or str(captions.get("language", ""))
        authored = own in captions.get("languages", ())  # translations are files of the job
        yield from caption_checks(srt, vtt, expected, language=language, authored=authored)


def _subtitles(files: Mapping[str, list[Path]]) -> list[Path]:
    """Return the SubRip files. The one in the film's own language comes first."""
    paths = [path for kind in files for path in files[kind] if kind.startswith("captions")]
    found = [path for path in paths if path.suffix == ".srt"]
    return sorted(found, key=lambda path: (path.stem.count("."), path.name))


def _cues(path: Path) -> tuple[ParsedCue, ...]:
    return read_cues(_text(path), escaped=False)


def _tracks(video: Path, files: Mapping[str, list[Path]]) -> Iterator[Check]:
    yield from track_checks(video, [_cues(path) for path in _subtitles(files)])


def _manifest_checks(
    files: Mapping[str, list[Path]], manifest: Mapping[str, Any]
) -> Iterator[Check]:
    """Yield the checks of the manifest, and of the film's own captions against it."""
    cues = next((_cues(path) for path in _subtitles(files) if path.stem == "captions"), ())
    yield word_check(cues, manifest["timeline"])
    yield from manifest_checks(manifest, cues)


def _sheet(files: Mapping[str, list[Path]], expected: Expected) -> SheetMeter | None:
    """Return the meter of the contact sheet; None if it cannot be read."""
    try:
        return SheetMeter(files["contact-sheet"][0], expected)
    except (KeyError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_TEXT_BYTES).decode()


def _recorded(known: Container[str], manifest: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks that only the renderer could make and that the manifest records."""
    recorded = map(Check.from_json, manifest.get("quality", {}).get("checks", ()))
    yield from (check for check in recorded if check.rule not in known)


def _describe(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    # Messages of FFmpeg, Pillow and the system may hold paths of this machine.
    if isinstance(error, av.FFmpegError):
        return str(error.strerror)
    return str(error) if isinstance(error, ValueError) else type(error).__name__
