"""SubRip as players read it: ``PLAYERS`` is what FFmpeg 8 makes of the same files."""

from __future__ import annotations

import io
import re

import av
import pytest
from av.subtitles.subtitle import AssSubtitle

from app.render.captions.entries import CaptionsMalformed
from app.render.captions.parser import parse_captions

Cues = list[tuple[float, float, list[str]]]

TIME = "00:00:01,000 --> 00:00:02,000\n"
NEXT = "00:00:03,000 --> 00:00:04,000\n"
#: Name: file, and its captions as players show them.
PLAYERS: dict[str, tuple[str, Cues]] = {
    "no blank line between captions": (
        f"1\n{TIME}One\n2\n{NEXT}B\n",
        [(1, 2, ["One"]), (3, 4, ["B"])],
    ),
    "empty lines inside a caption": (
        f"1\n{TIME}A\n\nB\n\n2\n{NEXT}C\n",
        [(1, 2, ["A", "B"]), (3, 4, ["C"])],
    ),
    "no numbers": (f"{TIME}A\n\n{NEXT}B\n", [(1, 2, ["A"]), (3, 4, ["B"])]),
    "empty lines under numbers": (
        f"1\n\n{TIME}A\n\n2\n\n{NEXT}B\n",
        [(1, 2, ["A"]), (3, 4, ["B"])],
    ),
    "tags and codes": (
        f"1\n{TIME}{{\\an8}}<i>a</i> <font size='2'>b</font> <x>c</x> {{y:i}}d\\N<3 1 < 2<br>z\n",
        [(1, 2, ["a b c d", "<3 1 < 2", "z"])],
    ),
    "no spaces around the arrow": (
        "1\n00:00:01,000-->00:00:02,000\nA\n",
        [(1, 2, ["A"])],
    ),
    "points and short hours": ("1\n0:00:01.000 --> 0:00:02.000\nA\n", [(1, 2, ["A"])]),
    "coordinates": (f"1\n{TIME[:-1]} X1:1 X2:2 Y1:3 Y2:4\nA\n", [(1, 2, ["A"])]),
    "an arrow in text": (f"1\n{TIME}go --> there\n", [(1, 2, ["go --> there"])]),
    "a number as text": (f"1\n{TIME}7\n\n2\n{NEXT}B\n", [(1, 2, ["7"]), (3, 4, ["B"])]),
}
#: What FFmpeg drops, or shows though it is none of the text.
BETTER: dict[str, tuple[str, Cues]] = {
    "no hours": ("1\n00:01,000 --> 00:02,000\nA\n", [(1, 2, ["A"])]),
    "no milliseconds": ("1\n00:00:01 --> 00:00:02\nA\n", [(1, 2, ["A"])]),
    "numbers as text without numbers": (
        f"{TIME}5\n{NEXT}6\n\n00:00:05,000 --> 00:00:06,000\n7\n",
        [(1, 2, ["5"]), (3, 4, ["6"]), (5, 6, ["7"])],
    ),
    "a number at the end": (f"1\n{TIME}A\n\n2\n", [(1, 2, ["A"])]),
    "numbers from zero": (
        f"0\n{TIME}A\n1\n{NEXT}B\n2\n00:00:05,000 --> 00:00:06,000\nC\n",
        [(1, 2, ["A"]), (3, 4, ["B"]), (5, 6, ["C"])],
    ),
    "a tag that is none": (f"1\n{TIME}Press <Enter> & go\n", [(1, 2, ["Press <Enter> & go"])]),
    "references from WebVTT": (
        f"1\n{TIME}<c>a</c><00:00:01.500>&nbsp;&amp;&lt;b&gt;&eacute;\n",
        [(1, 2, ["a\u00a0&<b>&eacute;"])],
    ),
    "hard spaces": (f"1\n{TIME}12\\hcm\n", [(1, 2, ["12\u00a0cm"])]),
}


def cues(content: str) -> Cues:
    return [
        (entry.start, entry.end, list(entry.lines))
        for entry in parse_captions(content.encode()).entries
    ]


@pytest.mark.parametrize("name", PLAYERS)
def test_subrip_is_read_as_players_read_it(name: str) -> None:
    content, expected = PLAYERS[name]
    assert cues(content) == expected
    assert ffmpeg(content) == expected


def ffmpeg(content: str) -> Cues:
    """Return what FFmpeg reads, without the codes that it makes of tags."""
    found: Cues = []
    with av.open(io.BytesIO(content.encode()), "r", format="srt") as file:
        for packet in file.demux():
            for rect in packet.decode():
                assert isinstance(rect, AssSubtitle)
                text = rect.ass.decode().split(",", 8)[8]
                lines = re.sub(r"\{\\[^}]*\}", "", text).split("\\N")
                assert packet.pts is not None
                assert packet.duration is not None
                start, end = packet.pts, packet.pts + packet.duration
                found.append((start / 1000, end / 1000, lines))
    return found


@pytest.mark.parametrize("name", BETTER)
def test_what_players_would_lose_is_kept(name: str) -> None:
    content, expected = BETTER[name]
    assert cues(content) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Hello there", "line 1: 'Hello there' has no time such as .* only SubRip and WebVTT"),
        (f"1\n2\n{TIME}A", "line 1: '1' has no time"),
        ("1\n00:00:61,000 --> 00:00:62,000\nA", "line 2: minutes and seconds go up to 59"),
        ("1\n-00:00:01,000 --> 00:00:02,000\nA", "line 2: .* should be a time"),
        ("1\n00:00:01,5 --> 00:00:02,5\nA", "line 2: .* should be a time"),
        ("1\n00:00:01:12 --> 00:00:02:00\nA", "line 2: .* should be a time"),
        (f"1\n{TIME}A\n\n2\n00:00:03,000 -> 00:00:04,000\nB", "line 6: .* should be a time"),
        (f"1\n{TIME}a <font color=red b", "line 2: '<font' in its text is a tag without an end"),
        (f"1\n{TIME}00:00:03,000 -</b>-> 00:00:04,000\nB", "line 3: .* should be a time"),
        (f"1\n{TIME}A\n<b>0:00:01.000,0:00:02.000\nA\n", "line 2: .* should be a time"),
        ("0:00:01.000,0:00:02.000\nA\n", "line 1: .* should be a time"),
        ("1\n00:00:03,000 --> 00:00:02,000\nA", "line 2: it ends before it begins"),
        ("1\n100:00:02,000 --> 100:00:03,000\nA", "line 2: 100 hours"),
        (f"1\n{TIME}In\n1492\n{NEXT}B", "line 4: '1492' may be text or the number of a caption"),
    ],
)
def test_what_is_malformed_is_refused_with_its_line(content: str, says: str) -> None:
    with pytest.raises(CaptionsMalformed, match=says):
        parse_captions(content.encode())
