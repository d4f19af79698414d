"""WebVTT against a browser: ``BROWSER`` is what Chromium 156 makes of the same files."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from app.render.captions.entries import CaptionsMalformed
from app.render.captions.parser import parse_captions
from tests.support.chromium import browsing, chromium_binary

Cues = list[tuple[float, float, list[str]]]

HEAD = "WEBVTT\n\n"
TIME = "00:01.000 --> 00:02.000\n"
YOUTUBE = """WEBVTT
Kind: captions
Language: en

00:00:00.000 --> 00:00:02.110 align:start position:0%
 
so<00:00:00.480><c> today</c>

00:00:02.110 --> 00:00:02.120 align:start position:0%
so today
 

00:00:02.120 --> 00:00:04.000 align:start position:0%
so today
we<00:00:02.500><c> play</c>
"""  # noqa: W293 - lines of one space are what it is about
#: Name: file, and its cues as a browser has them, lines without spaces at their ends.
BROWSER: dict[str, tuple[str, Cues]] = {
    "no blank line after the header": (
        "WEBVTT\n00:00.000 --> 00:02.000\nFirst\n\n00:02.000 --> 00:04.000\nSecond\n",
        [(0, 2, ["First"]), (2, 4, ["Second"])],
    ),
    "an identifier in the header": (f"WEBVTT\n1\n{TIME}First\n", [(1, 2, ["First"])]),
    "metadata right above a time": (f"WEBVTT\nKind: captions\n{TIME}A\n", [(1, 2, ["A"])]),
    "no blank line between captions": (
        "WEBVTT\n\n00:00.500 --> 00:02.000\nA\n00:02.000 --> 00:03.000\nB\n",
        [(0.5, 2, ["A"]), (2, 3, ["B"])],
    ),
    "as YouTube writes it": (
        YOUTUBE,
        [(0, 2.11, ["so today"]), (2.11, 2.12, ["so today"]), (2.12, 4, ["so today", "we play"])],
    ),
    "notes, styles and regions": (
        f"{HEAD}NOTE a --> b\nx\n\nSTYLE\n::cue {{ color: red }}\n\nREGION\nid:x\n\n{TIME}A\n",
        [(1, 2, ["A"])],
    ),
    "a note right above a time": (f"{HEAD}NOTE x\nmore\n{TIME}A\n", [(1, 2, ["A"])]),
    "a time in a note": (f"{HEAD}NOTE\n{TIME}A\n", [(1, 2, ["A"])]),
    "all tags": (
        f"{HEAD}{TIME}<lang de>Ab</lang> <v.a Anna B>Hi</v> <c.red.big>x</c> <i.a>y</i> <u>z</u>\n",
        [(1, 2, ["Ab Hi x y z"])],
    ),
    "unknown and empty tags": (f"{HEAD}{TIME}a<foo>b</foo><>c</>d< b>e\n", [(1, 2, ["abcde"])]),
    "a tag over two lines": (f"{HEAD}{TIME}<v\nAnna>hello\n", [(1, 2, ["hello"])]),
    "character references": (
        f"{HEAD}{TIME}&amp;&lt;b&gt;&nbsp;&eacute;&copy &#233; &#x1F3B2; &AMP &unknown; a&b\n",
        [(1, 2, ["&<b>\u00a0é© é 🎲 & &unknown; a&b"])],
    ),
    "no spaces around the arrow": (f"{HEAD}00:01.000-->00:02.000line:0\nA\n", [(1, 2, ["A"])]),
    "tabs and hours": (
        f"{HEAD}1:00:01.000\t-->\t01:00:02.000\tline:0\nA\n",
        [(3601, 3602, ["A"])],
    ),
    "captions out of order": (
        f"{HEAD}00:05.000 --> 00:06.000\nB\n\n{TIME}A\n",
        [(1, 2, ["A"]), (5, 6, ["B"])],
    ),
    "carriage returns alone": (f"WEBVTT\r\r{TIME}A\r\r".replace("\n", "\r"), [(1, 2, ["A"])]),
    "a byte order mark": (f"\ufeff{HEAD}{TIME}A", [(1, 2, ["A"])]),
    "a zero character": (f"{HEAD}{TIME}a\0b", [(1, 2, ["a\ufffdb"])]),
}
#: What a browser drops or runs together: name, file and what is made of it here.
BETTER: dict[str, tuple[str, Cues]] = {
    "a sign < in text": (
        f"{HEAD}{TIME}If 1 < 2 and 3 > 2, I <3 it\n",
        [(1, 2, ["If 1 < 2 and 3 > 2, I <3 it"])],
    ),
    "ruby": (
        f"{HEAD}{TIME}<ruby>東<rt>とう</rt>京<rt>きょう</ruby>へ <ruby>字<rt>zì</rt></ruby>\n",
        [(1, 2, ["東\uff08とう\uff09京\uff08きょう\uff09へ 字(zì)"])],
    ),
    "ruby without readings": (f"{HEAD}{TIME}<ruby>字<rt></rt></ruby>を\n", [(1, 2, ["字を"])]),
    "commas": (f"{HEAD}00:01,000 --> 00:02,000\nA\n", [(1, 2, ["A"])]),
    "no milliseconds": (f"{HEAD}00:00:01 --> 0:02\nA\n", [(1, 2, ["A"])]),
    "a number without a blank line": (
        f"{HEAD}1\n{TIME}A\n2\n00:02.000 --> 00:03.000\nB\n",
        [(1, 2, ["A"]), (2, 3, ["B"])],
    ),
}


def cues(content: str) -> Cues:
    return [
        (entry.start, entry.end, list(entry.lines))
        for entry in parse_captions(content.encode()).entries
    ]


@pytest.mark.parametrize("name", BROWSER)
def test_webvtt_is_read_as_a_browser_reads_it(name: str) -> None:
    content, expected = BROWSER[name]
    assert cues(content) == expected


@pytest.mark.parametrize("name", BETTER)
def test_what_a_browser_would_lose_is_kept(name: str) -> None:
    content, expected = BETTER[name]
    assert cues(content) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"{HEAD}{TIME}A\n\nstray\nmore\n", "line 6: 'stray' belongs to no caption; remove"),
        (f"{HEAD}a\nb\n{TIME}A\n", "line 3: 'a' belongs to no caption"),
        (f"{HEAD}1\n", "line 3: '1' belongs to no caption"),
        (f"{HEAD}{TIME}go --> there\n", "line 4: 'go --> there' should be a time such as 00:00:01"),
        (f"{HEAD}{TIME}A\n00:03.000, 00:04.000\nB\n", "line 5: '00:03.000, 00:04.000' should be"),
        (f"{HEAD}00:01.0000 --> 00:02.0000\nA\n", "line 3: .* should be a time"),
        (f"{HEAD}00:00:01:12 --> 00:00:02:00\nA\n", "line 3: .* should be a time"),
        (f"{HEAD}00:00:0.110 --> 00:00:02.000\nA\n", "line 3: .* should be a time"),
        (f"{HEAD}{TIME}a <00:01.500c\n", "line 3: '<00:' in its text is a tag without an end"),
        (f"{HEAD}{TIME}<ruby>a</rub\n", "line 3: '</' in its text is a tag without an end"),
        (f"{HEAD}00:00:01</b>.000 --> 00:00:02.000\nA\n", "line 3: .* should be a time"),
        (f"{HEAD}00:60.000 --> 01:01.000\nA\n", "line 3: minutes and seconds go up to 59"),
        (f"{HEAD}00:02.000 --> 00:01.000\nA\n", "line 3: it ends before it begins"),
        (f"{HEAD}{TIME}a <b and c\n", "line 3: '<b' in its text is a tag without an end"),
        (f"{HEAD}{TIME}a\nc <i\n", "line 3: '<i' in its text is a tag without an end"),
        (f"\n{HEAD}{TIME}A\n", "line 2: 'WEBVTT' has no time"),
        (f"webvtt\n\n{TIME}A\n", "line 1: 'webvtt' has no time"),
    ],
)
def test_what_a_browser_would_drop_is_refused_with_its_line(content: str, says: str) -> None:
    with pytest.raises(CaptionsMalformed, match=says):
        parse_captions(content.encode())


LOADS = """(async () => {
  const found = [], video = document.createElement('video')
  document.body.append(video)
  for (const file of FILES) {
    const bytes = Uint8Array.from(atob(file), char => char.charCodeAt(0))
    const element = document.createElement('track')
    element.src = URL.createObjectURL(new Blob([bytes], {type: 'text/vtt'}))
    video.append(element)
    element.track.mode = 'hidden'
    await new Promise((done, failed) => { element.onload = done; element.onerror = failed })
    found.push(Array.from(element.track.cues, cue =>
      [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent]))
    element.remove()
  }
  return found
})()"""


@pytest.mark.skipif(chromium_binary() is None, reason="no Chromium")
def test_a_browser_still_reads_these_files_so(tmp_path: Path) -> None:
    files = [base64.b64encode(content.encode()).decode() for content, _ in BROWSER.values()]
    binary = chromium_binary()
    assert binary is not None
    with browsing(binary, tmp_path / "profile", size=(320, 200)) as page:
        found = page.evaluate(LOADS.replace("FILES", json.dumps(files)))
    for (name, (_, expected)), told in zip(BROWSER.items(), found, strict=True):
        lines = [[line.strip(" ") for line in text.split("\n")] for _, _, text in told]
        shown = [
            (start, end, [line for line in said if line])
            for (start, end, _), said in zip(told, lines, strict=True)
        ]
        assert shown == expected, name
