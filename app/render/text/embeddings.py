"""Explicit direction: embeddings, overrides and isolates of UAX #9 (rules X1 to X10).

An author, or a library that fills in a template, puts LRI, RLI or FSI before a piece of another
direction, and PDI after it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: Types that begin an isolate.
ISOLATES: Final = frozenset({"LRI", "RLI", "FSI"})
#: Types of characters that have no part in the rules after X8.
REMOVED: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "BN"})
#: Deepest level of explicit embeddings (BD2).
_DEEPEST: Final = 125
#: Type of an embedding or override → whether it runs right to left, and the type that it forces.
_EMBEDDINGS: Final = {
    "LRE": (False, ""), "RLE": (True, ""), "LRO": (False, "L"), "RLO": (True, "R"),
}  # fmt: skip
#: A character of explicit direction.
EXPLICIT: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: What ends these, and an isolate.
_POP_EMBEDDING, _POP_ISOLATE = "\u202c", "\u2069"


def types(text: str) -> list[str]:
    """Return the bidirectional type of each character; L for characters of no known type."""
    return [unicodedata.bidirectional(char) or "L" for char in text]


def first_strong(kinds: Sequence[str]) -> str:
    """Return the first of the strong types L, R and AL outside isolates, or "" (P2)."""
    depth = 0
    for kind in kinds:
        if kind in ISOLATES:
            depth += 1
        elif kind == "PDI":
            depth = max(0, depth - 1)
        elif kind in ("L", "R", "AL") and not depth:
            return kind
    return ""


def _matches(kinds: Sequence[str]) -> dict[int, int]:
    """Return the place of the matching PDI by that of its isolate initiator (BD9)."""
    found: dict[int, int] = {}
    stack: list[int] = []
    for index, kind in enumerate(kinds):
        if kind in ISOLATES:
            stack.append(index)
        elif kind == "PDI" and stack:
            found[stack.pop()] = index
    return found


@dataclass(frozen=True, slots=True)
class _Status:
    """An entry of the directional status stack: a level, the type that it forces, its kind."""

    level: int
    forced: str = ""
    isolate: bool = False


class Explicit:
    """The explicit levels of a line.

    Args:
        kinds: Types of its characters. Those inside an override change.
        base: Level of the paragraph, 0 or 1.

    Attributes:
        levels: Level of each character. Characters that take no further part
            (:data:`REMOVED`) have the level of the character before them.
        kinds: Types, with overrides applied.
    """

    def __init__(self, kinds: list[str], base: int) -> None:
        self.kinds, self._base = kinds, base
        self._original = tuple(kinds)
        self._pdi = _matches(kinds)
        self._stack = [_Status(base)]
        self._overflowing_isolates = self._overflowing_embeddings = self._valid_isolates = 0
        self.levels = [self._level(index) for index in range(len(kinds))]

    def _level(self, index: int) -> int:
        """Return the level of a character, and change the stack as it says (X2 to X8)."""
        kind = self._original[index]
        if kind in _EMBEDDINGS:
            rtl, forced = _EMBEDDINGS[kind]
            if not self._pushed(rtl=rtl, forced=forced) and not self._overflowing_isolates:
                self._overflowing_embeddings += 1
            return self._stack[-1].level
        if kind == "PDF":
            self._pop_embedding()
            return self._stack[-1].level
        if kind == "PDI":
            self._pop_isolate()
        status = self._stack[-1]
        if status.forced and kind not in ("B", "BN"):
            self.kinds[index] = status.forced
        if kind == "B":
            return self._base
        if kind in ISOLATES:
            if self._pushed(rtl=self._isolate_is_rtl(index), isolate=True):
                self._valid_isolates += 1
            else:
                self._overflowing_isolates += 1
        return status.level

    def _pushed(self, *, rtl: bool, forced: str = "", isolate: bool = False) -> bool:
        """Enter the next deeper level of a direction, if there is one."""
        level = self._stack[-1].level + 1
        level += level % 2 != int(rtl)
        if level > _DEEPEST or self._overflowing_isolates or self._overflowing_embeddings:
            return False
        self._stack.append(_Status(level, forced, isolate))
        return True

    def _isolate_is_rtl(self, index: int) -> bool:
        kind = self._original[index]
        if kind != "FSI":
            return kind == "RLI"
        end = self._pdi.get(index, len(self._original))
        return first_strong(self._original[index + 1 : end]) in ("R", "AL")

    def _pop_embedding(self) -> None:
        if self._overflowing_isolates:
            return
        if self._overflowing_embeddings:
            self._overflowing_embeddings -= 1
        elif len(self._stack) > 1 and not self._stack[-1].isolate:
            self._stack.pop()

    def _pop_isolate(self) -> None:
        if self._overflowing_isolates:
            self._overflowing_isolates -= 1
        elif self._valid_isolates:
            self._overflowing_embeddings = 0
            while not self._stack[-1].isolate:
                self._stack.pop()
            self._stack.pop()
            self._valid_isolates -= 1

    def sequences(self) -> Iterator[Sequenced]:
        """Yield the isolating run sequences (X10): text at one level, without what it isolates."""
        seen = [i for i, kind in enumerate(self._original) if kind not in REMOVED]
        runs: list[list[int]] = []
        for index in seen:
            if runs and self.levels[runs[-1][-1]] == self.levels[index]:
                runs[-1].append(index)
            else:
                runs.append([index])
        beginning = {run[0]: run for run in runs}
        matched = set(self._pdi.values())
        position = {index: at for at, index in enumerate(seen)}
        for run in runs:
            if run[0] in matched:
                continue
            places = list(run)
            while (pdi := self._pdi.get(places[-1])) is not None and pdi in beginning:
                places += beginning[pdi]
            yield self._bounded(places, seen, position)

    def _bounded(
        self, places: list[int], seen: Sequence[int], position: dict[int, int]
    ) -> Sequenced:
        level = self.levels[places[0]]
        first, last = position[places[0]], position[places[-1]]
        before = self.levels[seen[first - 1]] if first else self._base
        after = self._base
        if last + 1 < len(seen) and self._original[places[-1]] not in ISOLATES:
            after = self.levels[seen[last + 1]]
        return Sequenced(places, level, _strong(max(level, before)), _strong(max(level, after)))


@dataclass(frozen=True, slots=True)
class Sequenced:
    """An isolating run sequence: its places, its level, and the types at its two ends."""

    places: list[int]
    level: int
    start: str
    end: str


def _strong(level: int) -> str:
    return "R" if level % 2 else "L"


def still_open(text: str) -> str:
    """Return the characters that open what ``text`` leaves open, for the line that follows it.

    Lines of a paragraph are ordered one by one, and an isolate may go on over several. A first
    strong isolate keeps the direction that it had where it began.
    """
    if not EXPLICIT.search(text):
        return ""
    kinds = types(text)
    stack: list[str] = []
    for index, kind in enumerate(kinds):
        if kind in _EMBEDDINGS or kind in ISOLATES:
            rtl = first_strong(kinds[index + 1 :]) in ("R", "AL")
            stack.append(text[index] if kind != "FSI" else "\u2067" if rtl else "\u2066")
        elif text[index] == _POP_EMBEDDING:
            if stack and stack[-1] in "\u202a\u202b\u202d\u202e":
                stack.pop()
        elif text[index] == _POP_ISOLATE and any(char in "\u2066\u2067" for char in stack):
            while stack.pop() not in "\u2066\u2067":
                pass
    return "".join(stack)
