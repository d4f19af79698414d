"""The comparison of two tracks: a table of cases, and what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.checks.canary_verdict import (
    MIN_ATTEMPTS,
    TROUBLE,
    Track,
    Verdict,
    fisher_exact_greater,
    judge,
    worst,
)

COUNTS = st.integers(0, 300)
#: For sums in whole numbers, which take their time.
FEW = st.integers(0, 80)
SEVERITY: list[Verdict] = ["promote", "wait", "roll back"]


def track(completed: int, faults: int, refused: int = 0, *, seconds: float | None = 4.0) -> Track:
    p95 = None if seconds is None else 2 * seconds
    return Track(completed, faults, refused=refused, median_seconds=seconds, p95_seconds=p95)


def verdict(canary: Track, stable: Track) -> Verdict:
    return worst(judge(canary, stable))


@pytest.mark.parametrize(
    ("canary", "stable", "expected"),
    [
        (track(30, 0), track(300, 0), "promote"),
        (track(59, 1), track(590, 10), "promote"),
        (track(1000, 20), track(9000, 180), "promote"),
        # not enough
        (track(29, 0), track(300, 0), "wait"),
        (track(300, 0), track(29, 0), "wait"),
        (track(0, 0), track(300, 0), "wait"),
        (track(3, 1), track(300, 0), "wait"),
        (track(4, 4), track(300, 0), "wait"),
        # hard evidence
        (track(0, 5), track(10, 0), "roll back"),
        (track(0, 5), track(300, 0), "roll back"),
        (track(0, 4), track(300, 0), "wait"),
        (track(0, 20), track(2, 0), "wait"),
        # worse, and how surely
        (track(24, 6), track(297, 3), "roll back"),
        (track(28, 2), track(300, 0), "wait"),
        (track(27, 3), track(290, 10), "wait"),
        (track(9600, 400), track(99_500, 500), "wait"),
        # all fail alike: something that both need is away
        (track(10, 30), track(100, 300), "wait"),
        # authors' mistakes
        (track(40, 0, refused=4), track(400, 0, refused=40), "promote"),
        (track(40, 0, refused=20), track(400, 0, refused=20), "wait"),
        (track(40, 0, refused=0), track(400, 0, refused=90), "promote"),
        # durations
        (track(40, 0, seconds=4.8), track(400, 0), "promote"),
        (track(40, 0, seconds=6.5), track(400, 0), "wait"),
        (track(40, 0, seconds=9.0), track(400, 0), "roll back"),
        (track(20, 0, seconds=9.0), track(400, 0), "wait"),
        (track(40, 0, seconds=0.4), track(400, 0, seconds=0.1), "promote"),
        (track(40, 0, seconds=None), track(400, 0), "wait"),
        (track(40, 0, seconds=1.0), track(400, 0), "promote"),
    ],
)
def test_the_verdict_of(canary: Track, stable: Track, expected: Verdict) -> None:
    reasons = judge(canary, stable)
    assert worst(reasons) == expected, reasons


def test_a_slow_tail_alone_asks_for_a_look() -> None:
    slow = replace(track(400, 0), p95_seconds=30.0)
    assert verdict(slow, track(400, 0)) == "wait"


def test_a_reason_says_what_was_counted() -> None:
    texts = " ".join(reason.text for reason in judge(track(24, 6), track(297, 3)))
    assert "6 of 30 (20.0%)" in texts
    assert "3 of 300 (1.0%)" in texts
    assert "4 s on canary" in texts


def exact(first: tuple[int, int], second: tuple[int, int]) -> Fraction:
    """The same probability in whole numbers."""
    drawn, hits, everything = sum(first), first[0] + second[0], sum(first) + sum(second)
    ways = sum(
        comb(hits, k) * comb(everything - hits, drawn - k)
        for k in range(first[0], min(hits, drawn) + 1)
    )
    return Fraction(ways, comb(everything, drawn))


@given(FEW, FEW, FEW, FEW)
def test_the_test_of_fisher_is_exact(a: int, b: int, c: int, d: int) -> None:
    expected = float(exact((a, b), (c, d)))
    assert fisher_exact_greater((a, b), (c, d)) == pytest.approx(expected, rel=1e-8, abs=1e-300)


def test_the_tea_tasting_lady_of_fisher() -> None:
    """Four cups of four, and three: the figures of "The Design of Experiments" (1935), II."""
    assert fisher_exact_greater((4, 0), (0, 4)) == pytest.approx(1 / 70)
    assert fisher_exact_greater((3, 1), (1, 3)) == pytest.approx(17 / 70)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_one_more_fault_never_helps(well: int, faults: int, others: int, theirs: int) -> None:
    stable = track(others, theirs)
    before = SEVERITY.index(verdict(track(well + 1, faults), stable))
    assert SEVERITY.index(verdict(track(well, faults + 1), stable)) >= before


@given(COUNTS, COUNTS, COUNTS)
def test_equal_tracks_are_never_rolled_back(well: int, faults: int, refused: int) -> None:
    same = track(well, faults, refused)
    good = same.attempts >= MIN_ATTEMPTS and same.fault_rate < TROUBLE
    assert verdict(same, same) == ("promote" if good else "wait")


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_too_few_attempts_never_promote(a: int, b: int, c: int, d: int) -> None:
    canary, stable = track(a % 15, b % 15), track(c, d)
    assert verdict(canary, stable) != "promote"
