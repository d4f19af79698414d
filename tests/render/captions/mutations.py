"""Caption files as exporters write them, changed at random."""

from __future__ import annotations

import random
from typing import Final

_YOUTUBE: Final = """WEBVTT
Kind: captions
Language: en

STYLE
::cue { color: red }

NOTE a remark

00:00:00.000 --> 00:00:02.110 align:start position:0%
so<00:00:00.480><c> today</c>

00:00:02.110 --> 00:00:04.000
<v Anna>we &amp; you</v>
<ruby>字<rt>じ</rt></ruby>

2
00:00:03.500 --> 00:00:05.000 line:0
<b>play</b> &lt;now&gt;
"""
_AEGISUB: Final = """\ufeff1
00:00:01,000 --> 00:00:02,500
{\\an8}Take <i>one</i> card.

2
00:00:02,500 --> 00:00:04,000 X1:1 X2:2 Y1:3 Y2:4
«\u00a0Oui\u00a0»\\Nou 12\u202fcm

3
00:00:03,000 --> 00:00:03,900
<font color="red">Non</font>
""".replace("\n", "\r\n")
_TIGHT: Final = "0\n00:01.000 --> 00:02.000\ntight\n1\n00:03.000 --> 00:04.000\n7\n"
_FILES: Final = (_YOUTUBE, _AEGISUB, _TIGHT)
_PIECES: Final = (
    "\n", "\n\n", "\r", " ", "-->", " --> ", "00:00:01.000", "00:02,5", "1\n", "2", "NOTE ",
    "00:00:01.000 --> 00:00:02.000\n", "<", ">", "<b>", "</b>", "<rt>", "</ruby>", "&", "&lt;",
    "&#0;", "{\\an8}", "{", "STYLE\n", "WEBVTT\n", "\ufeff", "\0", "\u2028", "\u202e", "\u0301",
    "字", "🎲", "x" * 300,
)  # fmt: skip


def mutated(rng: random.Random) -> bytes:
    """Return a file with one to eight changes: of its lines, its text and at last its bytes."""
    text = rng.choice(_FILES)
    for _ in range(rng.randint(1, 8)):
        text = rng.choice((_lines_changed, _text_changed))(text, rng)
    content = text.encode(rng.choice(("utf-8",) * 18 + ("utf-16", "utf-16-le")))
    if rng.random() < 0.1:
        place = rng.randrange(len(content) + 1)
        content = content[:place] + rng.randbytes(rng.randint(0, 2)) + content[place + 1 :]
    return content


def _lines_changed(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            del lines[place]
        case 1:
            lines.insert(other, lines[place])
        case 2:
            lines[place], lines[other] = lines[other], lines[place]
        case _:
            del lines[place:]
    return "\n".join(lines)


def _text_changed(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text) + 1)
    if rng.random() < 0.3:
        return text[:place] + text[place + rng.randint(1, 5) :]
    return text[:place] + rng.choice(_PIECES) + text[place:]
