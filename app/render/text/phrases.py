"""Where a Japanese line should end: after a phrase (bunsetsu), so that no particle begins the next.

BudouX (https://github.com/google/budoux) divides the text with its model of Japanese. Chrome does
the same for CSS ``word-break: auto-phrase``. Other languages break at the places of
:func:`app.render.text.breaks.units` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from app.render.model.scripts import KANA
from app.render.text.breaks import SPACES, units

if TYPE_CHECKING:
    from budoux import Parser


def phrases(
    text: str, start: int, end: int, fits: Callable[[int, int], bool]
) -> Iterator[tuple[int, int]]:
    """Yield the pieces of a paragraph between which a line should end.

    These are its units; in Japanese the units of a phrase stay together where they fit.

    Args:
        text: The text.
        start: Where the paragraph begins.
        end: Where it ends.
        fits: Returns whether a line can hold the characters from its first to its second argument.
    """
    ends = _phrase_ends(text[start:end])
    if not ends:
        yield from units(text, start, end)
        return
    phrase: list[tuple[int, int]] = []
    for unit in units(text, start, end):
        phrase.append(unit)
        if unit[1] - start in ends or text[unit[1] - 1] in SPACES:
            whole = (phrase[0][0], unit[1])
            yield from [whole] if fits(*whole) else phrase
            phrase = []


def has_phrases(paragraph: str) -> bool:
    """Return whether pieces of a paragraph may be longer than its units."""
    return bool(_phrase_ends(paragraph))


@lru_cache(maxsize=512)
def _phrase_ends(paragraph: str) -> frozenset[int]:
    """Return where the phrases of a Japanese paragraph end; of any other, nothing."""
    if not KANA.search(paragraph):
        return frozenset()
    return frozenset(accumulate(map(len, _parser().parse(paragraph))))


@cache
def _parser() -> Parser:
    import budoux  # noqa: PLC0415 - most films have no Japanese

    return budoux.load_default_japanese_parser()
