"""The bed: music at its level under the voice, lowered while somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.render.model.sound import SAMPLE_RATE, Ducking, Music
from app.render.sound import ducking
from app.render.sound.decoding import Take
from app.render.sound.ducking import Spoken
from app.render.sound.loudness import MOMENT_SECONDS, SILENCE_LUFS, energy_mean, measure
from app.render.sound.stems import music_blocks, voice_blocks

#: Music is at least so far below the voice while it speaks, in LU.
DISTANCE_LU: Final = 18.0
#: Aimed at beyond that: ramps, and what counts as speech, are measured in another way by others.
_SPARE_LU: Final = 1.5
#: Relative gate of BS.1770-4: what is softer is a pause.
_GATE_LU: Final = 10.0
#: A momentary loudness covers so many tenths of a second before its own.
_WINDOW_MOMENTS: Final = 3


@dataclass(frozen=True, slots=True)
class Bed:
    """Music, ready to be added to the voice.

    Attributes:
        music: What is played.
        factors: On the grid of :mod:`app.render.sound.ducking`.
        distance_lu: By how much the voice is louder than the music while it speaks,
            for the narration that has the least; None where nobody speaks.
        lowered_db: By how much more than the payload wishes the music was lowered.
    """

    music: Music
    factors: NDArray[np.float32]
    distance_lu: float | None = None
    lowered_db: float = 0.0

    def blocks(self, length: int) -> Iterator[NDArray[np.float32]]:
        """Yield ``length`` samples of it."""
        return ducking.levelled(music_blocks(self.music, length), self.factors)


@dataclass(frozen=True, slots=True)
class _Part:
    """A span of speech with the loudness of voice and music in it."""

    span: Spoken
    voice_lufs: float
    music_lufs: float

    @property
    def distance(self) -> float:
        return self.voice_lufs - self.music_lufs - self.span.dip_db


def make_bed(
    music: Music, wish: Ducking, takes: Sequence[Take], *, length: int, music_seconds: float
) -> Bed:
    """Measure voice and music, and return the music at the level that it may have.

    Args:
        music: What is played, and how loud against the voice.
        wish: How it gives way. It gives way further where it would be too loud else.
        takes: The narrations.
        length: Samples of the film.
        music_seconds: Length of the recording.
    """
    ends = length
    if not music.loop:
        ends = min(length, round((music_seconds - music.start_seconds) * SAMPLE_RATE))
    voice = measure(voice_blocks(takes, length), peak=False) if takes else None
    sound = measure(music_blocks(music, length), peak=False)
    if voice is None or voice.silent or sound.silent:
        factors = ducking.levels(music, wish, (), length=length, ends=ends)
        return Bed(music, factors)
    gain = voice.integrated_lufs + music.relative_db - sound.integrated_lufs
    spans = _spans(takes, wish, length, voice.integrated_lufs)
    parts = [
        part
        for span in spans
        if (part := _part(span, voice.momentary_lufs, sound.momentary_lufs + gain))
    ]
    parts, lower = _kept_apart(parts, wish)
    spoken = [part.span for part in parts]
    factors = ducking.levels(music, wish, spoken, length=length, ends=ends)
    return Bed(
        music=music,
        factors=factors * np.float32(10 ** ((gain - lower) / 20)),
        distance_lu=min((part.distance + lower for part in parts), default=None),
        lowered_db=max([lower, *(wish.dip_db - span.dip_db for span in spoken)])
        if wish.mode != "none"
        else lower,
    )


def _spans(takes: Sequence[Take], wish: Ducking, length: int, lufs: float) -> list[Spoken]:
    if wish.mode == "sidechain":
        return list(ducking.speech(voice_blocks(takes, length), lufs=lufs))
    spans = [Spoken(take.start, min(take.start + take.length, length)) for take in takes]
    return sorted((span for span in spans if span.start < span.end), key=lambda span: span.start)


def _part(span: Spoken, voice: NDArray[np.float32], music: NDArray[np.float32]) -> _Part | None:
    """Return the loudnesses while somebody speaks in ``span``; None where nobody does."""
    first = int(span.start / SAMPLE_RATE / MOMENT_SECONDS) + _WINDOW_MOMENTS
    last = max(int(span.end / SAMPLE_RATE / MOMENT_SECONDS), first + 1)
    heard = voice[first:last]
    loud = heard > max(energy_mean(heard) - _GATE_LU, SILENCE_LUFS)
    if not loud.any():
        return None
    return _Part(span, energy_mean(heard[loud]), energy_mean(music[first:last][loud]))


def _kept_apart(parts: Sequence[_Part], wish: Ducking) -> tuple[list[_Part], float]:
    """Return the parts with their dips, and by how many dB all music is lowered."""
    apart = DISTANCE_LU + _SPARE_LU
    if wish.mode == "none":
        return list(parts), max([0.0, *(apart - part.distance for part in parts)])
    dips = (min(wish.dip_db, part.distance - apart) for part in parts)
    dipped = [
        replace(part, span=replace(part.span, dip_db=dip))
        for part, dip in zip(parts, dips, strict=True)
    ]
    return dipped, 0.0
