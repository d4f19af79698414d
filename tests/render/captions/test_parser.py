from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.render.captions import parser
from app.render.captions.cues import Cue
from app.render.captions.entries import CaptionsMalformed, Entry
from app.render.captions.parser import MAX_BYTES, CaptionFile, parse_captions, read_captions
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


def entries(content: bytes) -> tuple[Entry, ...]:
    return parse_captions(content).entries


def test_subrip_is_read_and_its_markup_goes() -> None:
    assert entries(SRT.encode()) == (
        Entry(1.0, 2.5, ("Nimm eine Karte.",)),
        Entry(3.0, 5.0, ("Dann lege sie", "auf den Tisch.")),
    )


def test_webvtt_is_read_without_notes_styles_settings_and_tags() -> None:
    assert entries(VTT.encode()) == (
        Entry(1.0, 2.5, ("Nimm eine <Karte> & lies sie.",)),
        Entry(3603.0, 3605.0, ("Zwei\u00a0Zeilen", "hier.")),
    )


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_byte_order_marks_of_all_systems_are_read(
    line_end: str, encoding: str
) -> None:
    for text in (SRT, VTT):
        changed = text.replace("\n", line_end).encode(encoding)
        assert parse_captions(changed) == parse_captions(text.encode())


def test_no_break_and_full_width_spaces_stay() -> None:
    content = "00:00:01,000 --> 00:00:02,000\n «\u00a0Oui\u00a0»,  12\u202fcm \u3000字\u3000字\n"
    assert entries(content.encode())[0].lines == ("«\u00a0Oui\u00a0», 12\u202fcm \u3000字\u3000字",)


def test_control_characters_hide_no_tag() -> None:
    content = "00:00:01,000 --> 00:00:02,000\n<\x07b>a\x0c</\x80b>\x85\n"
    assert entries(content.encode())[0].lines == ("a",)


def test_captions_without_text_are_left_out() -> None:
    content = "00:00:01,000 --> 00:00:02,000\n<b></b>\n\n00:00:02,000 --> 00:00:03,000\nTwo\n"
    assert parse_captions(content.encode()) == CaptionFile((Entry(2.0, 3.0, ("Two",)),))


def test_captions_that_no_player_shows_are_left_out_and_counted() -> None:
    gone = "00:00:02,000 --> 00:00:02,000\nGone\n\n" * 4
    content = f"00:00:01,000 --> 00:00:02,000\nOne\n\n{gone}"
    assert parse_captions(content.encode()) == CaptionFile(
        (Entry(1.0, 2.0, ("One",)),),
        ("4 of 5 end when they begin and are left out (line 4, 7, 10 …)",),
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no captions"),
        (b"WEBVTT\n\nNOTE nothing else\n", "no captions"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n<b></b>\n", "no captions"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "line 1: it is not UTF-8; save the file as UTF-8"),
        (b"1\n00:00:01,000 --> 00:00:02,000\r\ncaf\xe9", "line 3: it is not UTF-8"),
        (b"1\x00\n\x000\x000\x00", "it is not UTF-8; save"),
        (b"\xff\xfe1\x00\n", "^it is not UTF-8; save"),
        (b"00:00:01,000 --> 00:00:02,000\n" + b"x" * 501, "line 1: more than 500 characters"),
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


@pytest.mark.parametrize(
    "unit", [b"<", b"{\\", b"</b", b"&#", b"00:", b" \t", b"-->", b"<rt>", b"< ", b"0", b"\n1\n"]
)
@pytest.mark.parametrize("head", [b"", b"WEBVTT\n\n"])
@pytest.mark.parametrize("place", [b"", b"\n"])
def test_hostile_repetition_is_refused_at_once(unit: bytes, head: bytes, place: bytes) -> None:
    content = head + b"00:00:01,000 --> 00:00:02,000" + place
    with pytest.raises(CaptionsMalformed):
        parse_captions(content + unit * (200_000 // len(unit)))  # a square of that takes minutes


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
        found = entries(content)
    except CaptionsMalformed:
        return
    assert found
    assert all(entry.start < entry.end and all(entry.lines) for entry in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all("\n" not in line and "\x00" not in line for entry in found for line in entry.lines)


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
        found = [
            (entry.start, entry.end, [plain(line) for line in entry.lines])
            for entry in entries(written.encode())
        ]
        assert found == wanted
