"""What a render will cost, estimated from its storyboard alone.

The seconds are those of one processor core of the machine that the figures were taken
on; on another one they differ by a factor, but a film that is said to cost twice as
much costs about twice as much everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.render.model.storyboard import Motion, Quality, Step, Storyboard

#: Seconds for the process, the stills and the manifest.
_BASE: Final = 0.5
#: Seconds a step: its texts set, its pictures decoded and scaled.
_STEP: Final = 0.15
#: Seconds for a picture that is drawn, and for one that is encoded, a megapixel.
_DRAWN: Final = 0.012
_ENCODED: Final[dict[Quality, float]] = {"draft": 0.005, "standard": 0.011, "high": 0.036}
#: Pictures of a hold that are encoded until the encoder repeats itself.
_SETTLING: Final = 46
#: Seconds for a second of film, and for one that has sound: mixed, encoded, decoded, measured.
_SECOND, _SOUND = 0.006, 0.085
_MEGAPIXEL: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate.

    Attributes:
        drawn: Frames that may differ from the one before.
        held: All others: they repeat what is encoded already.
        cpu_seconds: Processor time of one core, without the step cache.
    """

    drawn: int
    held: int
    cpu_seconds: float


def estimate(storyboard: Storyboard, *, sounds: bool) -> Cost:
    """Return what a render of ``storyboard`` costs; ``sounds`` if the film has sound.

    ``0.5 + 0.15 steps + megapixels (0.012 drawn + e encoded) + s seconds``, where e is
    0.005, 0.011 or 0.036 by quality, of each hold 46 frames are encoded, and s is 0.006
    or, with sound, 0.091.
    """
    megapixels = storyboard.width * storyboard.height / _MEGAPIXEL
    drawn = encoded = 0
    for step in storyboard.steps:
        moments = sorted(_moments(step))
        drawn += len(moments)
        holds = zip(moments, [*moments[1:], step.frames], strict=True)
        encoded += sum(min(end - start, _SETTLING) for start, end in holds)
    seconds = (
        _BASE
        + _STEP * len(storyboard.steps)
        + megapixels * (_DRAWN * drawn + _ENCODED[storyboard.quality] * encoded)
        + (_SECOND + _SOUND * sounds) * storyboard.seconds
    )
    return Cost(drawn, storyboard.frames - drawn, round(seconds, 2))


def _moments(step: Step) -> set[int]:
    """Return the frames that may differ from the one before."""
    moments = {0}
    for text in step.texts:
        moments |= {text.span.start, text.span.end}
    for motion in _motions(step):
        moments.update(range(motion.span.start, motion.span.end + 1))
    if step.transition is not None:
        moments.update(range(step.transition.frames + 1))
    return {moment for moment in moments if 0 <= moment < step.frames}


def _motions(step: Step) -> Iterator[Motion]:
    yield from step.motions
    for picture in step.pictures:
        yield from picture.motions
    yield from (callout.motion for callout in step.callouts)
