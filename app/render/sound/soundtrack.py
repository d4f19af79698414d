"""The film's sound, whole: voice and music, mixed to the sample, at the right loudness."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from app.render.model.sound import SAMPLE_RATE, LoudnessTarget, SoundOptions
from app.render.model.storyboard import Storyboard
from app.render.sound.bed import DISTANCE_LU, Bed, make_bed
from app.render.sound.codec import AudioCodec
from app.render.sound.decoding import takes
from app.render.sound.encoding import encoded
from app.render.sound.loudness import Reading
from app.render.sound.mastering import TOLERANCE_LU, Master, mastered
from app.render.sound.stems import voice_blocks

#: A recording that has to be raised by more than this in dB brings its noise with it.
_MUCH_DB: Final = 20.0
#: A limiter that takes more than this in dB is heard.
_HARD_DB: Final = 12.0


@dataclass(frozen=True, slots=True)
class SoundReport:
    """What was measured on the film's sound, as a player decodes it.

    Attributes:
        target: What was wished.
        integrated_lufs: Loudness, None for silence.
        true_peak_dbtp: Highest peak, None for digital silence.
        gain_db: What the whole was raised by before the limiter.
        limited_db: What the limiter took from the highest peak.
        voice_over_music_lu: By how much the voice is louder than the music while it
            speaks, at its least; None without the one or the other.
    """

    target: LoudnessTarget
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    gain_db: float
    limited_db: float
    voice_over_music_lu: float | None

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the rules that the sound breaks: ``loudness``, ``true-peak``, ``ducking``."""
        lufs, peak, apart = self.integrated_lufs, self.true_peak_dbtp, self.voice_over_music_lu
        broken = {
            "loudness": lufs is not None and abs(lufs - self.target.lufs) > TOLERANCE_LU,
            "true-peak": peak is not None and peak > self.target.peak_dbtp,
            "ducking": apart is not None and apart < DISTANCE_LU,
        }
        return tuple(name for name, is_broken in broken.items() if is_broken)

    def to_json(self) -> dict[str, Any]:
        """Return it for the manifest."""
        return {
            "targetLufs": self.target.lufs,
            "maxTruePeakDbtp": self.target.peak_dbtp,
            "integratedLufs": _rounded(self.integrated_lufs),
            "truePeakDbtp": _rounded(self.true_peak_dbtp),
            "gainDb": _rounded(self.gain_db),
            "limitedDb": _rounded(self.limited_db),
            "voiceOverMusicLu": _rounded(self.voice_over_music_lu),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


class Soundtrack:
    """The film's sound, measured before it is encoded.

    Attributes:
        report: What was measured.
        warnings: What a listener may notice.
    """

    def __init__(
        self,
        storyboard: Storyboard,
        wishes: SoundOptions,
        *,
        codec: AudioCodec,
        music_seconds: float = 0.0,
    ) -> None:
        """Measure and set the sound of ``storyboard``.

        Args:
            storyboard: Has the narrations.
            wishes: Music, ducking and loudness.
            codec: How the film will be encoded.
            music_seconds: Length of the music's recording.
        """
        self._codec = codec
        self._length = storyboard.frames * SAMPLE_RATE // storyboard.fps
        self._takes = tuple(takes(storyboard))
        self._bed: Bed | None = None
        if wishes.music is not None:
            self._bed = make_bed(
                wishes.music,
                wishes.ducking,
                self._takes,
                length=self._length,
                music_seconds=music_seconds,
            )
        self._master: Master | None = None
        if self._takes or self._bed:
            self._master = mastered(self._mixed, target=wishes.target, codec=codec)
        self.report = _report(wishes.target, self._master, self._bed)
        self.warnings = tuple(_warnings(self.report, self._master, self._bed))

    def packets(self) -> Iterator[Packet[Any]]:
        """Yield the film's sound, encoded: what was measured, or silence."""
        if self._master:
            return iter(self._master.packets)
        return encoded(self._mixed(), codec=self._codec)

    def _mixed(self) -> Iterator[NDArray[np.float32]]:
        voice = voice_blocks(self._takes, self._length)
        if self._bed is None:
            yield from voice
            return
        for spoken, played in zip(voice, self._bed.blocks(self._length), strict=True):
            yield spoken + played


def _report(target: LoudnessTarget, master: Master | None, bed: Bed | None) -> SoundReport:
    reading: Reading | None = master.reading if master else None
    heard = reading is not None and not reading.silent
    peaked = reading is not None and math.isfinite(reading.true_peak_dbtp)
    return SoundReport(
        target=target,
        integrated_lufs=reading.integrated_lufs if reading and heard else None,
        true_peak_dbtp=reading.true_peak_dbtp if reading and peaked else None,
        gain_db=master.gain_db if master else 0.0,
        limited_db=master.limited_db if master else 0.0,
        voice_over_music_lu=bed.distance_lu if bed else None,
    )


def _warnings(report: SoundReport, master: Master | None, bed: Bed | None) -> Iterator[str]:
    if report.gain_db > _MUCH_DB:
        yield f"sound: raised by {report.gain_db:.1f} dB; noise in the recordings will be heard"
    if report.limited_db > _HARD_DB:
        yield (
            f"sound: peaks were lowered by {report.limited_db:.1f} dB to reach"
            f" {report.target.lufs:g} LUFS: most of the film is much softer than its loudest part;"
            " raise music.relativeDb or lower loudness.targetLufs"
        )
    if "loudness" in report.faults:
        yield (
            f"sound: {report.integrated_lufs:.1f} LUFS instead of {report.target.lufs:.1f};"
            " its peaks leave no room for more"
        )
    if bed and bed.lowered_db > 0.05:  # noqa: PLR2004 - less is rounding
        yield (
            f"music: lowered by up to {bed.lowered_db:.1f} dB more than wished,"
            f" to stay {DISTANCE_LU:g} dB under the voice"
        )
    if master and master.reading.silent:
        yield "sound: nothing in it can be heard"
