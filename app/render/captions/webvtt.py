"""WebVTT, read by the algorithm of https://www.w3.org/TR/webvtt1/ (section 6).

A browser drops what it cannot read without a word. Here such a line is refused, or read where its
meaning is plain: a comma before milliseconds, a ``<`` that begins no tag.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final

from app.render.captions.entries import CaptionsMalformed, Entry, hold_closed, shown_lines, timing

_SIGNATURE: Final = re.compile(r"WEBVTT(?:[ \t].*)?")
#: Blocks that are not captions.
_ASIDE: Final = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")
_NAMES: Final = r"(?:c|i|b|u|v|lang|ruby|rt)"
#: A tag begins with a letter or a slash. A time stamp says when a word lights up in karaoke.
_TAG: Final = re.compile(rf"<(?:(?:[A-Za-z/]|[0-9]+:)[^<>]*|\s*(?:/\s*)?{_NAMES}\s*)?>")
#: The reading of ideographs (ruby); its end tag may be missing.
_READING: Final = re.compile(r"<rt(?:[.\s][^<>]*)?>(.*?)(?:</rt>|(?=<rt|</ruby)|$)", re.DOTALL)
#: From here on characters are as wide as ideographs, and brackets around them too.
_WIDE: Final = "\u2e80"


def is_webvtt(lines: Sequence[str]) -> bool:
    """Return whether the lines of a file begin like WebVTT."""
    return _SIGNATURE.fullmatch(lines[0]) is not None


def parse_webvtt(lines: Sequence[str]) -> Iterator[Entry]:
    """Yield the captions in a file's ``lines``, in the file's order.

    Raises:
        CaptionsMalformed: A browser would drop a part of the file.
    """
    for number, block in _blocks(lines):
        at = 0 if "-->" in block[0] else 1
        aside = _ASIDE.fullmatch(block[0]) is not None
        if at == len(block) or "-->" not in block[at]:
            if not aside:
                raise CaptionsMalformed(
                    f"line {number}: {block[0].strip()[:40]!r} belongs to no caption; remove the"
                    " empty line before it, or put a time above it"
                )
            continue
        try:
            times = timing(block[at], number + at)
        except CaptionsMalformed:
            if aside:  # a comment that has an arrow in it
                continue
            raise
        for place, line in enumerate(block[at + 1 :], start=number + at + 1):
            timing(line, place)
        if times is not None:
            text = _plain("\n".join(block[at + 1 :]), number + at)
            yield Entry(*times, shown_lines(text, number + at), number + at)


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the blocks after the header, each with the number of its first line.

    A block ends at an empty line (not at one of spaces), and before a line with an arrow unless
    that is its first or second.
    """
    block: list[str] = []
    header = True
    for number, line in enumerate([*lines[1:], ""], start=2):
        arrow = "-->" in line
        header = header and bool(line) and not arrow
        if block and (not line or (arrow and (len(block) > 1 or "-->" in block[0]))):
            begun = [block.pop()] if arrow and _numbers_the_next(block) else []
            yield number - len(block) - len(begun), block
            block = begun
        if line and not header:
            block.append(line)


def _numbers_the_next(block: list[str]) -> bool:
    """Return whether a block's last line is the next caption's number, without a blank between."""
    first, last = block[0], block[-1]
    return bool(re.fullmatch("[0-9]{1,9}", first)) and last == str(int(first) + 1)


def _plain(text: str, number: int) -> str:
    """Return the text of a caption without tags, the readings of its ideographs in brackets."""
    text = _TAG.sub("", _READING.sub(_bracketed, text))
    hold_closed(text, number)
    return html.unescape(text)


def _bracketed(reading: re.Match[str]) -> str:
    text = _TAG.sub("", reading[1]).strip()
    wide = any(char >= _WIDE for char in html.unescape(text))
    return (f"\uff08{text}\uff09" if wide else f"({text})") if text else ""
