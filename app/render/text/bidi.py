"""The order in which the characters of one line are seen.

The Unicode bidirectional algorithm (UAX #9) without explicit embeddings.
HarfBuzz shapes a run of one direction; a line that mixes fonts has to be cut
into such runs and ordered first, which is done here.
"""

from __future__ import annotations

import unicodedata
from typing import Final

#: Opening bracket → its closing one.
_BRACKETS: Final = dict(zip("([{⟨⟦", ")]}⟩⟧", strict=True))
_STRONG_RTL: Final = frozenset({"R", "AL"})
_NUMBERS: Final = frozenset({"EN", "AN"})
_NEUTRAL: Final = frozenset(
    {
        "B",
        "S",
        "WS",
        "ON",
        "BN",
        "ES",
        "ET",
        "CS",
        "LRE",
        "RLE",
        "LRO",
        "RLO",
        "PDF",
        "LRI",
        "RLI",
        "FSI",
        "PDI",
    }
)


def is_rtl(text: str) -> bool:
    """Return whether the first strong character of ``text`` is written right to left."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in _STRONG_RTL:
            return True
        if kind == "L":
            return False
    return False


def mostly_rtl(text: str) -> bool:
    """Return whether more letters of ``text`` are written right to left than left to right.

    Tutorials in Hebrew and Arabic often begin with a Latin name, which the first letter alone
    (P2 and P3 of the algorithm) would take for the direction of all.
    """
    kinds = [unicodedata.bidirectional(char) for char in text]
    right = sum(kind in _STRONG_RTL for kind in kinds)
    return right > (left := kinds.count("L")) or (right == left and is_rtl(text))


def levels(text: str, *, rtl: bool) -> list[int]:
    """Return the embedding level of each character: odd ones run right to left."""
    if text.isascii() and not rtl:
        return [0] * len(text)
    base = int(rtl)
    kinds = _weak(text, base)
    _brackets(text, kinds, base)
    kinds = _neutrals(kinds, base)
    result = []
    for kind in kinds:
        if kind == "L":
            result.append(base + base % 2)
        elif kind == "R":
            result.append(1)
        else:  # numbers are read left to right inside either direction (I1, I2)
            result.append(2)
    for index in range(len(text) - 1, -1, -1):  # trailing white space (L1)
        if not text[index].isspace():
            break
        result[index] = base
    return result


def _weak(text: str, base: int) -> list[str]:
    """Resolve weak types (W1 to W7)."""
    kinds = [unicodedata.bidirectional(char) or "L" for char in text]
    sor = "R" if base else "L"
    strong, before = sor, sor
    for index, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[index] = before
        elif kind == "EN" and strong == "AL":
            kinds[index] = "AN"
        elif kind in ("L", "R", "AL"):
            strong = kind
        before = kinds[index]
    kinds = ["R" if kind == "AL" else kind for kind in kinds]
    for index in range(1, len(kinds) - 1):
        left, right = kinds[index - 1], kinds[index + 1]
        single = kinds[index] == "CS" or (kinds[index] == "ES" and left == "EN")
        if single and left == right and left in _NUMBERS:
            kinds[index] = left
    _terminators(kinds)
    strong = sor
    for index, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[index] = "L"
    return kinds


def _terminators(kinds: list[str]) -> None:
    """Join currency and percent signs to the number that they touch (W5)."""
    for order in (range(len(kinds)), range(len(kinds) - 1, -1, -1)):
        before = ""
        for index in order:
            if kinds[index] == "ET" and before == "EN":
                kinds[index] = "EN"
            before = kinds[index]


def _brackets(text: str, kinds: list[str], base: int) -> None:
    """Give both brackets of a pair the direction of what they enclose (N0)."""
    edge = "R" if base else "L"
    for opened, closed in _pairs(text, kinds):
        within = {_direction(kind) for kind in kinds[opened + 1 : closed]} & {"L", "R"}
        if edge in within:
            kinds[opened] = kinds[closed] = edge
        elif within:
            before = (_direction(kind) for kind in reversed(kinds[:opened]))
            kinds[opened] = kinds[closed] = next((k for k in before if k in ("L", "R")), edge)


def _pairs(text: str, kinds: list[str]) -> list[tuple[int, int]]:
    """Return the places of matching brackets, by the place of the opening one (BD16)."""
    pairs: list[tuple[int, int]] = []
    stack: list[tuple[str, int]] = []
    for index, char in enumerate(text):
        if kinds[index] != "ON":
            continue
        if char in _BRACKETS:
            stack.append((_BRACKETS[char], index))
        for depth in range(len(stack) - 1, -1, -1):
            if stack[depth][0] == char:
                pairs.append((stack[depth][1], index))
                del stack[depth:]
                break
    return sorted(pairs)


def _neutrals(kinds: list[str], base: int) -> list[str]:
    """Give neutrals the direction of both neighbours, else the base's (N1, N2)."""
    edge = "R" if base else "L"
    index = 0
    while index < len(kinds):
        if kinds[index] not in _NEUTRAL:
            index += 1
            continue
        end = index
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        left = _direction(kinds[index - 1]) if index else edge
        right = _direction(kinds[end]) if end < len(kinds) else edge
        kinds[index:end] = [left if left == right else edge] * (end - index)
        index = end
    return kinds


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
