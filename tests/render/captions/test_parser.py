from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.render.captions import parser
from app.render.captions.cues import Cue
from app.render.captions.parser import (
    MAX_BYTES,
    CaptionsMalformed,
    Entry,
    parse_captions,
    read_captions,
)
from app.render.captions.writer import to_srt, to_vtt

SRT = """1
00:00:01,000 --> 00:00:02,500
Nimm eine <i>Karte</i>.

2
00:00:03,000 --> 00:00:05,000
{\\an8}Dann <font color="red">lege</font> sie
auf den Tisch.
"""
VTT = """WEBVTT - Deutsch
Kind: captions

NOTE says nothing
of use

STYLE
::cue { color: red }

first
00:01.000 --> 00:02.500 align:start line:0
<v Anna>Nimm eine &lt;Karte&gt; &amp; lies</v> sie.

01:00:03.000 --> 01:00:05.000
<00:19.000><c.yellow>Zwei</c>&nbsp;Zeilen
hier.
"""


def test_subrip_is_read_and_its_markup_goes() -> None:
    assert parse_captions(SRT.encode()) == (
        Entry(1.0, 2.5, ("Nimm eine Karte.",)),
        Entry(3.0, 5.0, ("Dann lege sie", "auf den Tisch.")),
    )


def test_webvtt_is_read_without_notes_styles_settings_and_tags() -> None:
    assert parse_captions(VTT.encode()) == (
        Entry(1.0, 2.5, ("Nimm eine <Karte> & lies sie.",)),
        Entry(3603.0, 3605.0, ("Zwei Zeilen", "hier.")),
    )


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_of_all_systems_are_read(line_end: str, mark: str) -> None:
    for text in (SRT, VTT):
        changed = mark + text.replace("\n", line_end)
        assert parse_captions(changed.encode()) == parse_captions(text.encode())


def test_numbers_may_be_missing_and_angle_brackets_of_subrip_are_text() -> None:
    content = b"00:00:01.000 --> 00:00:02.000\nIf 1 < 2 and 3 > 2, stop\n"
    assert parse_captions(content) == (Entry(1.0, 2.0, ("If 1 < 2 and 3 > 2, stop",)),)


def test_a_caption_that_lasts_into_the_next_is_cut_off_there() -> None:
    content = "00:00:01,000 --> 00:00:09,000\nOne\n\n00:00:02,000 --> 00:00:03,000\nTwo\n"
    assert [entry.end for entry in parse_captions(content.encode())] == [2.0, 3.0]


def test_captions_without_text_are_left_out() -> None:
    content = "00:00:01,000 --> 00:00:02,000\n<b></b>\n\n00:00:02,000 --> 00:00:03,000\nTwo\n"
    assert parse_captions(content.encode()) == (Entry(2.0, 3.0, ("Two",)),)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no captions"),
        (b"WEBVTT\n\nNOTE nothing else\n", "no captions"),
        (b"\xff\xfe1\x00\n\x00", "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
        (b"Hello there", "line 1: there is no time"),
        (b"1\n2\n00:00:01,000 --> 00:00:02,000\nText", "line 2: there is no time"),
        (b"1\n00:00:01 --> 00:00:02\nText", "line 2: there is no time"),
        (b"1\n00:00:61,000 --> 00:00:62,000\nText", "line 2: there is no time"),
        (b"1\n-00:00:01,000 --> 00:00:02,000\nText", "line 2: there is no time"),
        (b"1\n00:00:02,000 --> 00:00:02,000\nText", "line 2: it does not end after"),
        (b"1\n100:00:02,000 --> 100:00:03,000\nText", "line 2: 100 hours"),
        (b"00:00:01,000 --> 00:00:02,000\n" + b"x" * 501, "line 1: it has more than 500"),
        (
            b"00:00:03,000 --> 00:00:04,000\nA\n\n00:00:03,000 --> 00:00:05,000\nB\n",
            "line 4: it does not start after",
        ),
    ],
)
def test_what_is_malformed_is_refused_with_its_line(content: bytes, says: str) -> None:
    with pytest.raises(CaptionsMalformed, match=says):
        parse_captions(content)


def test_too_many_captions_and_too_many_bytes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.srt"
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(CaptionsMalformed, match="more than 1048576 bytes"):
        read_captions(path)
    monkeypatch.setattr(parser, "MAX_ENTRIES", 1)
    with pytest.raises(CaptionsMalformed, match="more than 1 captions"):
        parse_captions(SRT.encode())


@pytest.mark.parametrize("unit", [b"<", b"{\\", b"</b", b"&#", b"00:", b" \t", b"-->"])
def test_hostile_repetition_is_refused_at_once(unit: bytes) -> None:
    content = b"00:00:01,000 --> 00:00:02,000" + unit * (MAX_BYTES // len(unit) - 40)
    with pytest.raises(CaptionsMalformed):
        parse_captions(content)


PARTS = st.lists(
    st.sampled_from(
        [
            "WEBVTT",
            "NOTE x",
            "1",
            "00:00:01,000 --> 00:00:02,000",
            "00:03.000 --> 00:04.000",
            "--> <b>",
            "text",
            "",
            "\x00",
            "\u2028",
            "&#10;",
            "\u202eabc",
        ]
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=200)
@given(content=st.one_of(st.binary(max_size=200), PARTS.map(lambda x: "\n".join(x).encode())))
def test_any_bytes_are_captions_in_order_or_are_refused(content: bytes) -> None:
    try:
        entries = parse_captions(content)
    except CaptionsMalformed:
        return
    assert entries
    assert all(entry.start < entry.end and all(entry.lines) for entry in entries)
    assert all(before.end <= after.start for before, after in pairwise(entries))
    assert all("\n" not in line and "\x00" not in line for entry in entries for line in entry.lines)


LINES = st.lists(
    st.text(
        st.sampled_from("abc é<>&;{}\\/-b אבגقد将。\u2060\u200f\u202b\u202c"),
        min_size=1,
        max_size=20,
    ).filter(lambda text: text.strip(" \u2060\u200f\u202b\u202c") != ""),
    min_size=1,
    max_size=2,
)


@settings(deadline=None, max_examples=150)
@given(texts=st.lists(LINES, min_size=1, max_size=4))
def test_what_is_written_is_read_again(texts: list[list[str]]) -> None:
    cues = [
        Cue(number, "s", number * 2.0, number * 2.0 + 1.5, tuple(lines))
        for number, lines in enumerate(texts, start=1)
    ]
    marks = str.maketrans("", "", "\u2060\u200e\u200f")

    def plain(line: str) -> str:
        return " ".join(line.translate(marks).split())

    wanted = [
        (cue.start_seconds, cue.end_seconds, [plain(line) for line in cue.lines]) for cue in cues
    ]
    for written in (to_srt(cues), to_vtt(cues)):
        entries = parse_captions(written.encode())
        found = [
            (entry.start, entry.end, [plain(line) for line in entry.lines]) for entry in entries
        ]
        assert found == wanted
