"""Where the lines of a caption break.

Lines may break where those on screen may (:func:`app.render.text.breaks.units`). Among these
places a cue of two lines breaks at the end of a sentence or clause, or near its middle.
"""
# ruff: noqa: RUF001 - the punctuation of other scripts is what this module is about

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from app.render.text.breaks import SOFT_HYPHEN, SPACES, is_ideograph, joined
from app.render.text.phrases import phrases

#: Closing marks that may follow a stop; French puts a no-break space before its guillemet.
_CLOSERS: Final = r"[\"'”’»)\]」』）\u00a0\u202f]*$"
_SENTENCE_END: Final = re.compile(rf"[.!?…。！？।؟]+{_CLOSERS}")
_CLAUSE_END: Final = re.compile(rf"[,;:،、，；：–—]{_CLOSERS}")
_INITIAL: Final = re.compile(r"^[\"'“‘«(]*\w\.$")
_LIST_NUMBER: Final = re.compile(r"^\(?\d{1,3}[.)]$")
#: Abbreviations that lead on to the next word: no line or cue ends with them.
_ABBREVIATIONS: Final = re.compile(
    r"(?:e\.?g|i\.?e|vs|cf|ca|approx|incl|excl|resp|fig|pp?|vol|ch|dr|mrs?|ms|prof|st|mt|nr|z\.b|d\.h|u\.a"
    r"|bzw|ggf|evtl|p\.ex|p\.ej|ej|sra?|mme|mlle|т\.е|напр|ex)\."
)
#: How many characters of unevenness a line break is worth at the end of a sentence, at the end
#: of a clause, and after a hyphen or slash inside a word.
_SENTENCE_BONUS, _CLAUSE_BONUS, _HYPHEN_BONUS = 24, 8, -12


class Token(NamedTuple):
    """Characters that stay on one line. ``space`` precedes them except at the start of a line."""

    text: str
    space: str
    ends_sentence: bool = False
    ends_clause: bool = False


@lru_cache(maxsize=512)
def tokenize(text: str, *, line: int) -> tuple[Token, ...]:
    """Split ``text`` at every place where a line may break.

    A word longer than ``line`` characters is cut. An abbreviation keeps the word that follows it,
    and so does a number at the start of a sentence ("1. Shuffle"). Control characters are removed.
    """
    tokens: list[Token] = []
    for paragraph in map(_printable, text.splitlines()):
        space = " "
        for word, gap in _words(paragraph, line):
            for piece in _pieces(word, line):
                _append(tokens, piece, space=space, line=line)
                space = ""
            space = "\u3000" if "\u3000" in gap else gap and " "
        if tokens:
            tokens[-1] = tokens[-1]._replace(ends_sentence=True)
    return tuple(tokens)


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char for char in text if char == "\t" or unicodedata.category(char) != "Cc")


def _words(paragraph: str, line: int) -> Iterator[tuple[str, str]]:
    """Yield the words of a paragraph, each with the white space after it.

    A word longer than ``line`` characters is divided at its soft hyphens. Other soft hyphens are
    left out.
    """
    head = ""
    for start, end in phrases(paragraph, 0, len(paragraph), lambda a, b: b - a <= line):
        word = paragraph[start:end].rstrip(SPACES)
        gap = paragraph[start + len(word) : end]
        soft = word.endswith(SOFT_HYPHEN) and not gap and end < len(paragraph)
        word = word.replace(SOFT_HYPHEN, "")
        if head and len(head) + len(word) + soft > line:
            yield f"{head}-", ""
            head = ""
        head += word
        if head and not soft:
            yield head, gap
            head = ""


def _pieces(word: str, line: int) -> Iterator[str]:
    """Cut a word into pieces of at most ``line`` characters, between its characters."""
    start = 0
    while len(word) - start > line:
        end = start + line
        while end > start + 1 and joined(word, end):
            end -= 1
        while end < len(word) and joined(word, end):
            end += 1
        yield word[start:end]
        start = end
    yield word[start:]


def _append(tokens: list[Token], piece: str, *, space: str, line: int) -> None:
    """Add ``piece``, joined to the last token where no break may stand between them."""
    ends = clause = False
    if not piece.isalnum():  # most words are
        opens = not tokens or tokens[-1].ends_sentence
        ends = _SENTENCE_END.search(piece) is not None
        if ends and (_INITIAL.match(piece) or (opens and _LIST_NUMBER.match(piece))):
            ends = False
        clause = _CLAUSE_END.search(piece) is not None
    last = tokens[-1].text if tokens else ""
    if tokens and space and _leads_on(tokens, piece) and len(last) + 1 + len(piece) <= line:
        previous = tokens.pop()
        piece, space = previous.text + space + piece, previous.space
    tokens.append(Token(piece, space, ends, clause))


def _leads_on(tokens: list[Token], following: str) -> bool:
    if tokens[-1].text[-1:] not in (".", ")"):
        return False
    last = tokens[-1].text.rsplit(" ", 1)[-1]
    word = last.lstrip("\"'“‘«([").lower()
    if _ABBREVIATIONS.fullmatch(word):
        return True
    if word == "no.":
        return following[:1].isdigit()
    opens = len(tokens) == 1 or tokens[-2].ends_sentence
    return opens and last == tokens[-1].text and _LIST_NUMBER.match(last) is not None


def reach(tokens: Sequence[Token]) -> list[int]:
    """Return the characters before each token, spaces included, and those of all tokens."""
    return [*accumulate([len(token.space) + len(token.text) for token in tokens], initial=0)]


def join(tokens: Sequence[Token]) -> str:
    """Return the text of ``tokens`` on one line."""
    text = "".join([token.space + token.text for token in tokens])
    return text[len(tokens[0].space) :] if tokens else text


def one_line(lines: Sequence[str]) -> str:
    """Return the text of a cue's ``lines`` on one line; ideographs have no space between them."""
    text = lines[0]
    for line in lines[1:]:
        ideographs = is_ideograph(text[-1:]) or is_ideograph(line[:1])
        text += line if ideographs else f" {line}"
    return text


def wrap(tokens: Sequence[Token], *, line: int) -> tuple[str, ...]:
    """Set ``tokens`` on one line, or on two lines as even as their sense allows.

    Where two lines do not hold them, there are as many lines as it takes.
    """
    whole = join(tokens)
    if len(whole) <= line:
        return (whole,)
    skipped = len(tokens[0].space)
    best: tuple[float, tuple[str, ...]] | None = None
    for cut, end in enumerate(reach(tokens[:-1])[1:], 1):
        before = end - skipped
        after = len(whole) - before - len(tokens[cut].space)
        if before <= line and after <= line:
            cost = abs(before - after) - _bonus(tokens[cut - 1], tokens[cut])
            if best is None or cost <= best[0]:
                lines = (whole[:before], whole[len(whole) - after :])
                best = min(best or (cost, lines), (cost, lines))
    return best[1] if best else tuple(_fill(tokens, line))


def _bonus(before: Token, after: Token) -> int:
    if before.ends_sentence:
        return _SENTENCE_BONUS
    if before.ends_clause:
        return _CLAUSE_BONUS
    return _HYPHEN_BONUS if before.text[-1] in "-‐/" and not after.space else 0


def _fill(tokens: Sequence[Token], line: int) -> list[str]:
    """First-fit lines, as many as it takes."""
    lines: list[str] = []
    for token in tokens:
        grown = lines[-1] + token.space + token.text if lines else ""
        if lines and len(grown) <= line:
            lines[-1] = grown
        else:
            lines.append(token.text)
    return lines
