"""Whether to promote a canary: a comparison of two tracks, without any I/O.

All workers take jobs from the same queue, so both tracks get the same mix of jobs, and what
differs between their attempts is the workers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["promote", "wait", "roll back"]

#: Attempts of each track before anything but hard evidence counts.
MIN_ATTEMPTS: Final = 30
#: Largest probability of a difference as large by chance alone that is called a difference.
SIGNIFICANCE: Final = 0.01
#: The same with fewer attempts, where a roll-back must not be an accident.
HARD_SIGNIFICANCE: Final = 0.001
#: Fewest faults that a roll-back rests on; with fewer attempts, and else.
HARD_FAULTS, FAULTS = 5, 3
#: Smallest difference of two rates that matters.
EFFECT: Final = 0.05
#: From this rate of faults on, nothing is promoted, however stable fares: mend the cause first.
TROUBLE: Final = 0.2
#: A canary is slower from this ratio and this many seconds on: a person must look.
SLOW_RATIO, SLOW_SECONDS = 1.5, 1.0
#: From these on, of the median, it is too slow to stay.
TOO_SLOW_RATIO, TOO_SLOW_SECONDS = 2.0, 2.0
_SEVERITY: Final[tuple[Verdict, ...]] = ("promote", "wait", "roll back")


@dataclass(frozen=True, slots=True)
class Track:
    """What the attempts of one track came to in the window.

    Attributes:
        completed: Attempts that ended well; dry runs render nothing and do not count.
        faults: Attempts that failed, were put off or died with their worker, for no fault of an
            author.
        lost: Of these, the ones that died with their worker.
        refused: Jobs that failed for what their author had sent.
        median_seconds: Time of an attempt; None when nothing was measured.
        p95_seconds: The time that 95 % of them stay below; None likewise.
    """

    completed: int
    faults: int
    lost: int = 0
    refused: int = 0
    median_seconds: float | None = None
    p95_seconds: float | None = None

    @property
    def attempts(self) -> int:
        """Attempts that say something about the workers."""
        return self.completed + self.faults

    @property
    def fault_rate(self) -> float:
        """Share of faults, 0 without attempts."""
        return self.faults / self.attempts if self.attempts else 0.0


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding, and the best verdict that it leaves room for."""

    verdict: Verdict
    text: str


def judge(canary: Track, stable: Track) -> list[Reason]:
    """Return the reasons for the verdict, which is that of the gravest (:func:`worst`)."""
    return [
        *_enough(canary, stable),
        *_failures(canary, stable),
        *_refusals(canary, stable),
        *_durations(canary, stable),
    ]


def worst(reasons: list[Reason]) -> Verdict:
    """Return the verdict that all reasons agree with."""
    return _SEVERITY[max(_SEVERITY.index(reason.verdict) for reason in reasons)]


def fisher_exact_greater(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return the probability that chance alone gives the first group so many hits, or more.

    The one-sided exact test of R. A. Fisher ("The Logic of Inductive Inference", Journal of the
    Royal Statistical Society 98, 1935): with all margins given, hits of the first group follow
    the hypergeometric distribution. Unlike a test of two proportions it holds for few hits.

    Args:
        first: Hits and misses of the group that may have more.
        second: Hits and misses of the other.
    """
    drawn, hits, everything = sum(first), first[0] + second[0], sum(first) + sum(second)

    def choose(whole: int, part: int) -> float:
        """Return the logarithm of the number of ways to choose a part."""
        return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)

    ways = choose(everything, drawn)
    least = max(first[0], drawn + hits - everything, 0)
    return min(
        1.0,
        math.fsum(
            math.exp(choose(hits, k) + choose(everything - hits, drawn - k) - ways)
            for k in range(least, min(hits, drawn) + 1)
        ),
    )


def _enough(canary: Track, stable: Track) -> Iterator[Reason]:
    for name, track in (("canary", canary), ("stable", stable)):
        if track.attempts < MIN_ATTEMPTS:
            text = f"{name} has {track.attempts} attempts of at least {MIN_ATTEMPTS}"
            yield Reason("wait", text)


def _failures(canary: Track, stable: Track) -> Iterator[Reason]:
    chance = fisher_exact_greater(
        (canary.faults, canary.completed), (stable.faults, stable.completed)
    )
    more = canary.fault_rate - stable.fault_rate
    enough = min(canary.attempts, stable.attempts) >= MIN_ATTEMPTS
    limit, least = (SIGNIFICANCE, FAULTS) if enough else (HARD_SIGNIFICANCE, HARD_FAULTS)
    text = (
        f"{_share(canary.faults, canary.attempts)} of canary's attempts failed, "
        f"{_share(stable.faults, stable.attempts)} of stable's; by chance alone in "
        f"{chance:.2g} of all cases"
    )
    if chance < limit and canary.faults >= least and more >= EFFECT:
        yield Reason("roll back", text)
    elif chance < SIGNIFICANCE or more >= EFFECT:
        yield Reason("wait", f"{text}: perhaps worse")
    elif canary.fault_rate >= TROUBLE:
        yield Reason("wait", f"{text}: no worse, yet far too many; mend their cause first")
    else:
        yield Reason("promote", text)


def _refusals(canary: Track, stable: Track) -> Iterator[Reason]:
    """The queue is one, so authors err as often on both tracks, unless one refuses too much."""
    ended = [(track.refused, track.attempts) for track in (canary, stable)]
    rates = [refused / max(1, refused + others) for refused, others in ended]
    if fisher_exact_greater(*ended) < SIGNIFICANCE and rates[0] - rates[1] >= EFFECT:
        yield Reason(
            "wait",
            f"canary refused {rates[0]:.1%} of its jobs as their authors' mistake, "
            f"stable {rates[1]:.1%}: look at its dead letters",
        )


def _durations(canary: Track, stable: Track) -> Iterator[Reason]:
    enough = min(canary.attempts, stable.attempts) >= MIN_ATTEMPTS
    for name, ours, theirs in (
        ("median", canary.median_seconds, stable.median_seconds),
        ("95th percentile", canary.p95_seconds, stable.p95_seconds),
    ):
        if ours is None or theirs is None:
            yield Reason("wait", f"the {name} of the durations is not known")
            continue
        text = f"the {name} of an attempt is {ours:.3g} s on canary, {theirs:.3g} s on stable"
        too_slow = ours >= theirs * TOO_SLOW_RATIO and ours - theirs >= TOO_SLOW_SECONDS
        if name == "median" and too_slow and enough:
            yield Reason("roll back", text)
        elif ours >= theirs * SLOW_RATIO and ours - theirs >= SLOW_SECONDS:
            yield Reason("wait", f"{text}: slower")
        else:
            yield Reason("promote", text)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "0 of 0"
