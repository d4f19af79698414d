"""Where a text is divided into cues."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from app.render.captions.linebreaks import Token, reach
from app.render.captions.readability import MAX_LINES

#: Costs of a cut, found by reading the cues of real tutorials: one more cue, a cut inside a
#: sentence, a cut after a comma, and a cue that is on screen for less than its minimum.
_CUE_COST, _MIDDLE_COST, _CLAUSE_COST, _SHORT_COST = 40.0, 60.0, 25.0, 200.0
#: Weight of unequal lengths: two even cues read better than a long one and a stub.
_BALANCE_COST: Final = 50.0


def segment(
    tokens: Sequence[Token], *, line: int, capacity: int, shortest: float
) -> list[Sequence[Token]]:
    """Divide ``tokens`` into cues at the least total cost (dynamic programming).

    Args:
        tokens: The text.
        line: Characters per line.
        capacity: Most characters per cue. Two lines are the limit in any case.
        shortest: A cue of fewer characters disappears too soon.
    """
    # Where a line that begins or ends at a token begins and ends, in characters of the text.
    ends = reach(tokens)
    starts = [end + len(token.space) for end, token in zip(ends, tokens, strict=False)]
    cost = _costs(MAX_LINES * line, shortest)
    totals = [0.0]
    begins = [0]
    first = second = 0  # of the longest cue that ends where the loop stands, and of its last line
    for end in range(1, len(tokens) + 1):
        far = ends[end]
        while second < end - 1 and far - starts[second] > line:
            second += 1
        # The second line takes all that it holds; the first has to hold the rest.
        while first < end - 1 and (
            far - starts[first] > capacity
            or (first < second - 1 and ends[second] - starts[first] > line)
        ):
            first += 1
        last = _last_cost(tokens[end - 1])
        if first == end - 1 and far - starts[first] >= len(cost):  # a word of several lines
            choices = [totals[first] + last]
        else:
            choices = [
                total + (cost[far - start] + last)
                for total, start in zip(totals[first:], starts[first:end], strict=True)
            ]
        totals.append(min(choices))
        begins.append(end - 1 - choices[::-1].index(totals[-1]))  # of equals, the shortest cue
    cues: list[Sequence[Token]] = []
    end = len(tokens)
    while end:
        cues.append(tokens[begins[end] : end])
        end = begins[end]
    return cues[::-1]


def _costs(full: int, shortest: float) -> list[float]:
    """Return what a cue of each length costs, up to ``full``, apart from where it ends."""
    short, plain = _balanced(full)
    few = math.ceil(shortest)
    return [*short[:few], *plain[few:]]


@lru_cache(maxsize=64)
def _balanced(full: int) -> tuple[list[float], list[float]]:
    """Return the costs of cues of each length: of those that disappear too soon, and of others."""
    plain = [_CUE_COST + _BALANCE_COST * (length / full) ** 2 for length in range(full + 1)]
    return [cost + _SHORT_COST for cost in plain], plain


def _last_cost(last: Token) -> float:
    """Return the cost of a cut after ``last``."""
    if last.ends_sentence:
        return 0.0
    return _CLAUSE_COST if last.ends_clause else _MIDDLE_COST
