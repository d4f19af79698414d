"""SubRip (SRT), read as players read it, above all FFmpeg: the format has no specification.

A caption's text goes on until the next time, over empty lines too. The number of the next caption
may stand between them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from app.render.captions.entries import CaptionsMalformed, Entry, hold_closed, shown_lines, timing

_NUMBER: Final = re.compile(r"\s*([0-9]{1,9})\s*")
_TAG: Final = re.compile(r"</?([a-z][a-z0-9-]*)[^<>]*>|<[0-9]+:[^<>]*>", re.IGNORECASE)
#: Tags that exporters write. Others are tags only where they are closed: "Press <Enter>" stays.
_KNOWN: Final = frozenset(
    ("b", "i", "u", "s", "c", "v", "p", "em", "font", "lang", "rt", "ruby", "span", "strong")
)
_END_TAG: Final = re.compile(r"</([a-z][a-z0-9-]*)\s*>", re.IGNORECASE)
#: Codes of Advanced SubStation Alpha ("{\an8}") and MicroDVD ("{y:i}").
_CODE: Final = re.compile(r"\{(?:\\|[CcFfHoPSsYy]:)[^{}\n]*\}")
_LINE_BREAK: Final = re.compile(r"<[bB][rR][ \t]*/?>|\\N")
#: Character references that converters from WebVTT leave.
_REFERENCE: Final = re.compile(r"&(?:amp|lt|gt|nbsp|quot|apos|#39);")


def parse_subrip(lines: Sequence[str]) -> Iterator[Entry]:
    """Yield the captions in a file's ``lines``, in the file's order.

    Raises:
        CaptionsMalformed: A time cannot be read, there is text before the first, or a line may
            be text as well as a number.
    """
    found = [(at, timing(line, at + 1, arrow_is_text=True)) for at, line in enumerate(lines)]
    times = [(at, time) for at, time in found if time is not None]
    number = _first_number(lines[: times[0][0] if times else None], times=bool(times))
    for (at, (start, end)), (until, _) in pairwise([*times, (len(lines), (0.0, 0.0))]):
        last, number = _text_end(lines, at + 1, until, number)
        text = _plain("\n".join(lines[at + 1 : last]), at + 1)
        yield Entry(start, end, shown_lines(text, at + 1), at + 1)


def _first_number(head: Sequence[str], *, times: bool) -> int | None:
    """Return the number above the first time, or ``None`` for a file without numbers."""
    said = [at for at, line in enumerate(head) if line.strip()]
    if not said:
        return None
    first = head[said[0]].strip()
    number = _NUMBER.fullmatch(first)
    if not times or len(said) > 1 or number is None:
        raise CaptionsMalformed(
            f"line {said[0] + 1}: {first[:40]!r} has no time such as 00:00:01.000 -->"
            " 00:00:02.500 above it; only SubRip and WebVTT can be read"
        )
    return int(number[1])


def _text_end(
    lines: Sequence[str], start: int, until: int, number: int | None
) -> tuple[int, int | None]:
    """Return where a caption's text ends, and the number of the next caption.

    Args:
        lines: The file.
        start: The first line of the text.
        until: The line with the next time.
        number: The caption's own number, ``None`` in a file without numbers.
    """
    end = until
    while end > start and not lines[end - 1].strip():
        end -= 1
    following = None if number is None else number + 1
    match = _NUMBER.fullmatch(lines[end - 1]) if end > start else None
    if match is None:
        return end, following
    above_time = end == until < len(lines)
    value = int(match[1])
    alone = end - 1 == start and number is not None
    apart = not lines[end - 2].strip()
    if (above_time and (apart or alone)) or ((above_time or apart) and value == following):
        return end - 1, None if number is None else value
    if above_time and number is not None:
        raise CaptionsMalformed(
            f"line {end}: {match[0].strip()!r} may be text or the number of a caption; put an"
            " empty line before the number"
        )
    return end, following


def _plain(text: str, number: int) -> str:
    """Return the text of a caption without tags and codes."""
    text = _CODE.sub("", _LINE_BREAK.sub("\n", text).replace("\\h", "\u00a0"))
    closed = {name.lower() for name in _END_TAG.findall(text)} | _KNOWN

    def shown(tag: re.Match[str]) -> str:
        return "" if tag[1] is None or tag[1].lower() in closed else tag[0]

    text = _TAG.sub(shown, text)
    hold_closed(text, number)
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text)
