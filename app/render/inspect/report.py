"""The quality report of a preview that was just rendered. It goes into the manifest.

Most rules are measured on the finished files. The renderer measures the rest while it draws,
because only it knows which pixels are text. Mastering has already measured the loudness of the
decoded sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from app.render.captions.cues import Cue
from app.render.captions.texts import Texts
from app.render.captions.writer import to_srt, to_vtt
from app.render.inspect.captions import caption_checks, no_caption_checks, read_cues
from app.render.inspect.rules import Check, Expected, Rule
from app.render.inspect.sound import LOUDNESS, TRUE_PEAK
from app.render.inspect.stills import still_checks
from app.render.inspect.video import video_checks
from app.render.model.storyboard import Storyboard
from app.render.sound.soundtrack import SoundReport
from app.render.text import fonts

GLYPHS: Final = Rule("Picture", "glyphs", "the fonts have every character")
DUCKING: Final = Rule("Sound", "music-under-voice", "voice at least 18 LU louder than music")


def finished_checks(
    storyboard: Storyboard,
    files: Sequence[tuple[str, Path]],
    *,
    drawn: Iterable[Check],
    sound: SoundReport,
    texts: Texts,
) -> tuple[Check, ...]:
    """Return every check of a finished preview.

    Args:
        storyboard: The storyboard of the film.
        files: Kind and path of the film and of each still.
        drawn: The checks that were made while the texts were drawn.
        sound: The measurements of the sound.
        texts: The captions of the film.
    """
    expected = _expected(storyboard)
    paths = dict(files)
    thumbnails = [path for kind, path in files if kind == "thumbnail"]
    chosen = storyboard.poster_at is not None
    return (
        *video_checks(paths["video"], expected),
        *still_checks(paths["poster"], paths["contact-sheet"], thumbnails, poster_chosen=chosen),
        *drawn,
        _glyphs(storyboard),
        *_captions(texts.cues, expected, storyboard.language),
        *_sound(sound),
    )


def _expected(storyboard: Storyboard) -> Expected:
    return Expected(
        width=storyboard.width,
        height=storyboard.height,
        fps=storyboard.fps,
        frames=storyboard.frames,
        starts=tuple(step.start for step in storyboard.steps),
        lengths=tuple(step.frames for step in storyboard.steps),
        sources=tuple(step.duration_source for step in storyboard.steps),
    )


def _glyphs(storyboard: Storyboard) -> Check:
    shown = "".join(text.text for step in storyboard.steps for text in step.texts)
    missing = fonts.missing_characters(shown)
    measured = ", ".join(f"U+{ord(char):04X}" for char in missing[:5])
    return GLYPHS.check(
        f"missing: {measured}" if missing else "none missing", holds=not missing, excused=True
    )


def _captions(cues: Sequence[Cue], expected: Expected, language: str) -> Iterator[Check]:
    if not cues:
        return no_caption_checks()
    srt, vtt = read_cues(to_srt(cues), escaped=False), read_cues(to_vtt(cues), escaped=True)
    return caption_checks(srt, vtt, expected, language=language)


def _sound(report: SoundReport) -> Iterator[Check]:
    lufs, peak, apart = report.integrated_lufs, report.true_peak_dbtp, report.voice_over_music_lu
    if lufs is None:
        yield LOUDNESS.not_applicable("silence")
    else:
        # High peaks may leave no room for more gain. The render's warnings say so.
        measured = f"{lufs:.1f} LUFS; target {report.target.lufs:g} LUFS"
        yield LOUDNESS.check(measured, holds="loudness" not in report.faults, excused=True)
    if peak is None:
        yield TRUE_PEAK.not_applicable("silence")
    else:
        measured = f"{peak:.1f} dBTP; limit {report.target.peak_dbtp:g} dBTP"
        yield TRUE_PEAK.check(measured, holds="true-peak" not in report.faults)
    if apart is None:
        yield DUCKING.not_applicable("no music under a voice")
    else:
        yield DUCKING.check(f"{apart:.1f} LU", holds="ducking" not in report.faults)
