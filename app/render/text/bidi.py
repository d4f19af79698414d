"""The order in which the characters of a line are seen: the Unicode Bidirectional Algorithm.

HarfBuzz shapes a run of one direction. A line is cut into such runs here, and the runs are ordered.
Rules are named as in UAX #9 (https://www.unicode.org/reports/tr9/); those of explicit directions
are in :mod:`app.render.text.embeddings`.
"""

from __future__ import annotations

import re
from typing import Final

from app.render.text.embeddings import (
    ISOLATES,
    REMOVED,
    Explicit,
    Sequenced,
    first_strong,
    types,
)

_STRONG_RTL: Final = frozenset({"R", "AL"})
_NUMBERS: Final = frozenset({"EN", "AN"})
#: Neutral types and isolate formatting characters, NI in the rules.
_NEUTRAL: Final = frozenset({"B", "S", "WS", "ON", "PDI", *ISOLATES})
#: What takes the level of the paragraph at the end of a line (L1).
_TRAILING: Final = frozenset({"WS", "PDI", *ISOLATES, *REMOVED})
#: Characters that are written from right to left or direct others; the rest has one direction.
_MIXED: Final = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_OPENING: Final = (
    "([{༺༼᚛⁅⁽₍⌈⌊〈❨❪❬❮❰❲❴⟅⟦⟨⟪⟬⟮⦃⦅⦇⦉⦋⦍⦏⦑⦓⦕⦗⧘⧚⧼⸢⸤⸦⸨⹕⹗⹙⹛〈《「『【〔〖〘〚﹙﹛﹝（［｛｟｢"  # noqa: RUF001 - full width
)
_CLOSING: Final = (
    ")]}༻༽᚜⁆⁾₎⌉⌋〉❩❫❭❯❱❳❵⟆⟧⟩⟫⟭⟯⦄⦆⦈⦊⦌⦐⦎⦒⦔⦖⦘⧙⧛⧽⸣⸥⸧⸩⹖⹘⹚⹜〉》」』】〕〗〙〛﹚﹜﹞）］｝｠｣"  # noqa: RUF001 - as above
)
#: Opening bracket → its closing one (BidiBrackets.txt of Unicode).
_BRACKETS: Final = dict(zip(_OPENING, _CLOSING, strict=True))
#: Two brackets that are written like others (canonical equivalents).
_SAME: Final = str.maketrans("\u2329\u232a", "\u3008\u3009")
#: Most brackets that are open at once (BD16).
_MOST_OPEN: Final = 63


def is_rtl(text: str) -> bool:
    """Return whether the first strong character of ``text`` is written right to left (P2, P3)."""
    return first_strong(types(text)) in _STRONG_RTL


def mostly_rtl(text: str) -> bool:
    """Return whether more letters of ``text`` are written right to left than left to right.

    Tutorials in Hebrew and Arabic often begin with a Latin name, which the first letter alone
    (P2 and P3 of the algorithm) would take for the direction of all.
    """
    if not _MIXED.search(text):
        return False
    kinds = types(text)
    right = sum(kind in _STRONG_RTL for kind in kinds)
    return right > (left := kinds.count("L")) or (right == left and is_rtl(text))


def levels(text: str, *, rtl: bool) -> list[int]:
    """Return the embedding level of each character: odd ones run right to left.

    Args:
        text: One line.
        rtl: Whether its paragraph is written from right to left.
    """
    base = int(rtl)
    if not (rtl or _MIXED.search(text)):
        return [0] * len(text)
    original = types(text)
    explicit = Explicit(list(original), base)
    result = list(explicit.levels)
    for sequence in explicit.sequences():
        kinds = [explicit.kinds[place] for place in sequence.places]
        _weak(kinds, sequence.start)
        _brackets([text[place] for place in sequence.places], kinds, sequence)
        _neutrals(kinds, sequence)
        for place, kind in zip(sequence.places, kinds, strict=True):
            result[place] = sequence.level + _implicit(kind, sequence.level)
    _trailing(original, result, base)
    return result


def _implicit(kind: str, level: int) -> int:
    """Return how much deeper a character is than its surroundings (I1, I2)."""
    if level % 2:
        return int(kind != "R")
    return {"L": 0, "R": 1}.get(kind, 2)


def _trailing(original: list[str], result: list[int], base: int) -> None:
    """Give separators, and white space before them or at the end, the paragraph's level (L1)."""
    resets = True
    for index in range(len(original) - 1, -1, -1):
        if original[index] in ("S", "B"):
            resets = True
            result[index] = base
        elif original[index] not in _TRAILING:
            resets = False
        elif resets:
            result[index] = base
    for index, kind in enumerate(original):  # what was removed goes with what is before it
        if kind in REMOVED:
            result[index] = result[index - 1] if index else base


def _weak(kinds: list[str], start: str) -> None:
    """Resolve weak types (W1 to W7)."""
    strong, before = start, start
    for index, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[index] = "ON" if before in ISOLATES or before == "PDI" else before
        elif kind == "EN" and strong == "AL":
            kinds[index] = "AN"
        before = kinds[index]
        if before in ("L", "R", "AL"):
            strong = before
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]
    for index in range(1, len(kinds) - 1):
        left, right = kinds[index - 1], kinds[index + 1]
        single = kinds[index] == "CS" or (kinds[index] == "ES" and left == "EN")
        if single and left == right and left in _NUMBERS:
            kinds[index] = left
    _terminators(kinds)
    strong = start
    for index, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[index] = "L"


def _terminators(kinds: list[str]) -> None:
    """Join currency and percent signs to the number that they touch (W5); drop the rest (W6)."""
    for order in (range(len(kinds)), range(len(kinds) - 1, -1, -1)):
        before = ""
        for index in order:
            if kinds[index] == "ET" and before == "EN":
                kinds[index] = "EN"
            before = kinds[index]
    kinds[:] = ["ON" if kind in ("ET", "ES", "CS") else kind for kind in kinds]


def _brackets(chars: list[str], kinds: list[str], sequence: Sequenced) -> None:
    """Give both brackets of a pair the direction of what they enclose (N0)."""
    own = "R" if sequence.level % 2 else "L"
    marks = [index for index, kind in enumerate(types("".join(chars))) if kind == "NSM"]
    for opened, closed in _pairs(chars, kinds):
        within = {_direction(kind) for kind in kinds[opened + 1 : closed]} & {"L", "R"}
        if not within:
            continue
        direction = own
        if own not in within:
            before = (_direction(kind) for kind in reversed(kinds[:opened]))
            direction = next((kind for kind in before if kind in ("L", "R")), sequence.start)
        for place in (opened, closed):
            kinds[place] = direction
            after = place + 1
            while after in marks:  # marks on a bracket go with it
                kinds[after] = direction
                after += 1


def _pairs(chars: list[str], kinds: list[str]) -> list[tuple[int, int]]:
    """Return the places of matching brackets, by the place of the opening one (BD16)."""
    pairs: list[tuple[int, int]] = []
    stack: list[tuple[str, int]] = []
    for index, char in enumerate("".join(chars).translate(_SAME)):
        if kinds[index] != "ON":
            continue
        if char in _BRACKETS:
            if len(stack) == _MOST_OPEN:
                return []
            stack.append((_BRACKETS[char].translate(_SAME), index))
            continue
        for depth in range(len(stack) - 1, -1, -1):
            if stack[depth][0] == char:
                pairs.append((stack[depth][1], index))
                del stack[depth:]
                break
    return sorted(pairs)


def _neutrals(kinds: list[str], sequence: Sequenced) -> None:
    """Give neutrals the direction of both neighbours, else that of their level (N1, N2)."""
    own = "R" if sequence.level % 2 else "L"
    index = 0
    while index < len(kinds):
        if kinds[index] not in _NEUTRAL:
            index += 1
            continue
        end = index
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        left = _direction(kinds[index - 1]) if index else sequence.start
        right = _direction(kinds[end]) if end < len(kinds) else sequence.end
        kinds[index:end] = [left if left == right else own] * (end - index)
        index = end


def _direction(kind: str) -> str:
    return "R" if kind in _NUMBERS else kind


def visual_order(run_levels: list[int]) -> list[int]:
    """Return indexes of runs in the order seen from left to right (L2)."""
    order = list(range(len(run_levels)))
    for level in range(max(run_levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            if run_levels[order[start]] < level:
                start += 1
                continue
            end = start
            while end < len(order) and run_levels[order[end]] >= level:
                end += 1
            order[start:end] = reversed(order[start:end])
            start = end
    return order
