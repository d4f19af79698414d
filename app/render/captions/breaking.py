"""Text of captions: where it may break, and into which pieces it is cut.

Limits are Netflix's per-language timed text style guides: characters a line
and characters a second.
"""
# ruff: noqa: RUF001 - the punctuation of other scripts is what this module is about

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.render.text.breaks import CLOSING, OPENING, joined

#: Lines of a cue.
MAX_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class Readability:
    """How much text a reader takes in.

    Attributes:
        line: Characters a line.
        speed: Characters a second.
    """

    line: int
    speed: int


#: Limits by primary language subtag; others take ``DEFAULT_READABILITY``.
READABILITY: Final = {"zh": Readability(16, 9), "ja": Readability(13, 4), "ko": Readability(16, 12)}
#: Limits of alphabetic scripts.
DEFAULT_READABILITY: Final = Readability(42, 17)

_HAN_KANA = r"\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_IDEOGRAPH = re.compile(rf"[{_HAN_KANA}\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")
_KANA = re.compile(r"[\u3040-\u30ff\uff66-\uff9f]")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_SENTENCE_END = re.compile(r"[.!?…。！？।؟]+[\"'”’»)\]」』）]*$")
_CLAUSE_END = re.compile(r"[,;:،、，；：–—][\"'”’»)\]」』）]*$")
_INITIAL = re.compile(r"^[\"'“‘«(]*\w\.$")
_LIST_NUMBER = re.compile(r"^\(?\d{1,3}[.)]$")
#: Written with a full stop, and lead on to the next word: no cue or line ends on them.
_ABBREVIATIONS: Final = re.compile(
    r"(?:e\.?g|i\.?e|vs|cf|ca|approx|incl|excl|resp|fig|pp?|vol|ch|dr|mrs?|ms|prof|st|mt|nr|z\.b|d\.h|u\.a"
    r"|bzw|ggf|evtl|p\.ex|p\.ej|ej|sra?|mme|mlle|т\.е|напр|ex)\."
)

#: Costs of a cut, found by reading the cues of real tutorials: a cue more, a cut
#: inside a sentence, after a comma, and a cue on screen for less than its least.
_CUE_COST, _MIDDLE_COST, _CLAUSE_COST, _SHORT_COST = 40.0, 60.0, 25.0, 200.0
#: Weight of unequal lengths: two even cues read better than a long and a stub.
_BALANCE_COST = 50.0


@dataclass(frozen=True, slots=True)
class Token:
    """Characters that stay together. ``space`` stands before it unless a break does."""

    text: str
    space: bool
    ends_sentence: bool = False
    ends_clause: bool = False


def readability(language: str, text: str) -> Readability:
    """Return the limits for ``text``.

    The language decides; where it names no CJK language, the script of the text
    does, because 42 ideographs fill two frames' width.
    """
    known = READABILITY.get(language.split("-", maxsplit=1)[0].lower())
    if known is not None:
        return known
    if text.isascii():
        return DEFAULT_READABILITY
    letters = len("".join(text.split())) or 1
    if len(_HANGUL.findall(text)) * 2 > letters:
        return READABILITY["ko"]
    if len(_IDEOGRAPH.findall(text)) * 2 > letters:
        return READABILITY["ja" if _KANA.search(text) else "zh"]
    return DEFAULT_READABILITY


def tokenize(text: str, *, line: int) -> list[Token]:
    """Split ``text`` at every place where a line may break.

    Words at spaces, ideographs one by one (closing marks stay with what they
    close), words longer than a line by force. An abbreviation, and a number that
    opens a sentence ("1. Shuffle"), keeps the word that follows. Controls go.
    """
    tokens: list[Token] = []
    for paragraph in text.splitlines():
        for word in filter(None, map(_printable, paragraph.split())):
            for position, piece in enumerate(_pieces(word, line)):
                _append(tokens, piece, space=position == 0, line=line)
        if tokens:
            tokens[-1] = replace(tokens[-1], ends_sentence=True)
    return tokens


def _printable(word: str) -> str:
    if word.isprintable():
        return word
    return "".join(char for char in word if unicodedata.category(char) != "Cc")


def _append(tokens: list[Token], piece: str, *, space: bool, line: int) -> None:
    """Add ``piece``, joined to the last token where no break may stand between them."""
    opens = not tokens or tokens[-1].ends_sentence
    ends = _SENTENCE_END.search(piece) is not None
    if _INITIAL.match(piece) or (opens and _LIST_NUMBER.match(piece)):
        ends = False
    last = tokens[-1].text if tokens else ""
    if tokens and space and _leads_on(tokens, piece) and len(last) + 1 + len(piece) <= line:
        previous = tokens.pop()
        piece, space = f"{previous.text} {piece}", previous.space
    tokens.append(Token(piece, space, ends, _CLAUSE_END.search(piece) is not None))


def _leads_on(tokens: list[Token], following: str) -> bool:
    last = tokens[-1].text.rsplit(" ", 1)[-1]
    word = last.lstrip("\"'“‘«([").lower()
    if _ABBREVIATIONS.fullmatch(word):
        return True
    if word == "no.":
        return following[:1].isdigit()
    opens = len(tokens) == 1 or tokens[-2].ends_sentence
    return opens and last == tokens[-1].text and _LIST_NUMBER.match(last) is not None


def _pieces(word: str, line: int) -> list[str]:
    """Cut one word (no spaces inside) where a line may break in it."""
    if len(word) <= line and not _IDEOGRAPH.search(word):
        return [word]
    pieces: list[str] = []
    for cluster in _clusters(word):
        if pieces and not _may_break(pieces[-1], cluster) and len(pieces[-1] + cluster) <= line:
            pieces[-1] += cluster
        else:
            pieces.append(cluster)
    return pieces


def _may_break(before: str, after: str) -> bool:
    if after[0] in CLOSING or before[-1] in OPENING:
        return False
    around = (before[-1], after[0])
    return before[-1] in CLOSING or any(map(_IDEOGRAPH.match, around))


def _clusters(word: str) -> list[str]:
    """Characters with what is drawn onto them: accents, joiners, skin tones, halves of flags."""
    clusters: list[str] = []
    for place, char in enumerate(word):
        if place and joined(word, place):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def join(tokens: list[Token]) -> str:
    """Return the text of ``tokens`` on one line."""
    spaced = "".join([f" {token.text}" if token.space else token.text for token in tokens])
    return spaced[1:] if tokens and tokens[0].space else spaced


def one_line(lines: Sequence[str]) -> str:
    """Return the text of a cue's ``lines`` on one line; ideographs have no space between them."""
    text = lines[0]
    for line in lines[1:]:
        joins = _IDEOGRAPH.match(text[-1:]) or _IDEOGRAPH.match(line[:1])
        text += line if joins else f" {line}"
    return text


def wrap(tokens: list[Token], *, line: int) -> tuple[str, ...]:
    """Set ``tokens`` on one line or two, the two as even as sense allows.

    Falls back to as many lines as it takes when two do not hold them.
    """
    if len(join(tokens)) <= line:
        return (join(tokens),)
    best: tuple[float, tuple[str, ...]] | None = None
    for cut in range(1, len(tokens)):
        lines = (join(tokens[:cut]), join(tokens[cut:]))
        if max(map(len, lines)) <= line:
            cost = abs(len(lines[0]) - len(lines[1])) - _line_bonus(tokens[cut - 1])
            best = min(best or (cost, lines), (cost, lines))
    return best[1] if best else tuple(_fill(tokens, line))


def _line_bonus(token: Token) -> float:
    if token.ends_sentence:
        return 24
    return 8 if token.ends_clause else 0


def _fill(tokens: list[Token], line: int) -> list[str]:
    """First-fit lines, as many as it takes."""
    lines: list[str] = []
    for token in tokens:
        grown = lines[-1] + " " * token.space + token.text if lines else ""
        if lines and len(grown) <= line:
            lines[-1] = grown
        else:
            lines.append(token.text)
    return lines


def cut(tokens: list[Token], *, line: int, capacity: int, shortest: float) -> list[list[Token]]:
    """Cut ``tokens`` into cues at the least total cost (dynamic programming).

    Args:
        tokens: The text.
        line: Characters a line.
        capacity: Characters a cue, at most; two lines hold no more.
        shortest: Characters below which a cue would be gone too soon.
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
    """Return how many characters stand before each token, spaces counted, and in all."""
    reach = [0]
    for token in tokens:
        reach.append(reach[-1] + token.space + len(token.text))
    return reach


def _width(tokens: list[Token], reach: list[int], begin: int, end: int) -> int:
    """Return the characters of tokens ``begin`` to ``end`` on one line."""
    return reach[end] - reach[begin] - tokens[begin].space


def _cost(last: Token, length: int, full: int, shortest: float) -> float:
    cost = _CUE_COST + _BALANCE_COST * (length / full) ** 2
    if length < shortest:
        cost += _SHORT_COST
    if last.ends_sentence:
        return cost
    return cost + (_CLAUSE_COST if last.ends_clause else _MIDDLE_COST)
