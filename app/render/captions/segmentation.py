"""Where a text is divided into cues."""

from __future__ import annotations

from typing import Final

from app.render.captions.linebreaks import Token
from app.render.captions.readability import MAX_LINES

#: Costs of a cut, found by reading the cues of real tutorials: one more cue, a cut inside a
#: sentence, a cut after a comma, and a cue that is on screen for less than its minimum.
_CUE_COST, _MIDDLE_COST, _CLAUSE_COST, _SHORT_COST = 40.0, 60.0, 25.0, 200.0
#: Weight of unequal lengths: two even cues read better than a long one and a stub.
_BALANCE_COST: Final = 50.0


def segment(tokens: list[Token], *, line: int, capacity: int, shortest: float) -> list[list[Token]]:
    """Divide ``tokens`` into cues at the least total cost (dynamic programming).

    Args:
        tokens: The text.
        line: Characters per line.
        capacity: Most characters per cue. Two lines are the limit in any case.
        shortest: A cue of fewer characters disappears too soon.
    """
    reach = _reach(tokens)
    best: list[tuple[float, int]] = [(0.0, 0)]
    second = 0
    for end in range(1, len(tokens) + 1):
        while second < end - 1 and _width(tokens, reach, second, end) > line:
            second += 1
        choice: tuple[float, int] | None = None
        for begin in range(end - 1, -1, -1):
            length = _width(tokens, reach, begin, end)
            # The second line takes all that it holds; the first has to hold the rest.
            first = _width(tokens, reach, begin, second) if begin < second - 1 else 0
            if choice and (length > capacity or first > line):
                break
            cost = best[begin][0] + _cost(tokens[end - 1], length, MAX_LINES * line, shortest)
            if choice is None or cost < choice[0]:
                choice = (cost, begin)
        best.append(choice or (0.0, 0))
    cues: list[list[Token]] = []
    end = len(tokens)
    while end:
        begin = best[end][1]
        cues.append(tokens[begin:end])
        end = begin
    return cues[::-1]


def _reach(tokens: list[Token]) -> list[int]:
    """Return the number of characters before each token, spaces included, and the total."""
    reach = [0]
    for token in tokens:
        reach.append(reach[-1] + len(token.space) + len(token.text))
    return reach


def _width(tokens: list[Token], reach: list[int], begin: int, end: int) -> int:
    """Return the number of characters of tokens ``begin`` to ``end`` on one line."""
    return reach[end] - reach[begin] - len(tokens[begin].space)


def _cost(last: Token, length: int, full: int, shortest: float) -> float:
    cost = _CUE_COST + _BALANCE_COST * (length / full) ** 2
    if length < shortest:
        cost += _SHORT_COST
    if last.ends_sentence:
        return cost
    return cost + (_CLAUSE_COST if last.ends_clause else _MIDDLE_COST)
