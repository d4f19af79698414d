from __future__ import annotations

import pytest

from app.render.inspect.captions import ParsedCue, caption_checks, read_cues
from app.render.inspect.rules import Expected

FILM = Expected(
    width=160,
    height=90,
    fps=10,
    frames=200,
    starts=(0, 100),
    lengths=(100, 100),
    sources=("estimate", "given"),
)


def outcomes(
    *cues: ParsedCue,
    language: str = "en",
    other: tuple[ParsedCue, ...] = (),
    authored: bool = False,
) -> dict[str, str]:
    checks = caption_checks(cues, other or cues, FILM, language=language, authored=authored)
    return {check.rule: check.outcome for check in checks}


def cue(start: float, end: float, *lines: str) -> ParsedCue:
    return ParsedCue(start, end, lines or ("Place the board.",))


def test_files_are_read_as_they_are_written() -> None:
    srt = (
        "1\n00:00:01,500 --> 01:02:03,004\na -\u2060-> b\nsecond\n\n"
        "2\n00:00:05,000 --> 00:00:06,000\nx\n\n"
    )
    assert read_cues(srt, escaped=False) == (
        ParsedCue(1.5, 3723.004, ("a --> b", "second")),
        ParsedCue(5.0, 6.0, ("x",)),
    )
    vtt = "WEBVTT\n\n1\n00:00:01.500 --> 00:00:02.000\na &lt; b &amp; c\n"
    assert read_cues(vtt, escaped=True) == (ParsedCue(1.5, 2.0, ("a < b & c",)),)
    with pytest.raises(ValueError, match="nonsense"):
        read_cues("nonsense", escaped=False)


def test_good_captions_hold_every_rule() -> None:
    found = outcomes(cue(0, 2), cue(2.1, 4), cue(10, 12))
    assert set(found.values()) == {"ok"}


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        ("cue-lines", [cue(0, 5, "a", "b", "c")]),
        ("cue-width", [cue(0, 5, "x" * 43)]),
        ("cue-speed", [cue(0, 1, "x" * 30)]),
        ("cue-length", [cue(0, 0.5, "x")]),
        ("cue-length", [cue(0, 7.5)]),
        ("cue-gap", [cue(0, 2), cue(2.05, 4)]),
        ("cue-in-step", [cue(9, 11)]),
    ],
)
def test_each_rule_can_be_broken(rule: str, bad: list[ParsedCue]) -> None:
    assert outcomes(*bad)[rule] == "broken"


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        ("cue-lines", [cue(10, 15, "a", "b", "c")]),
        ("cue-speed", [cue(10, 11, "x" * 30)]),
        ("cue-length", [cue(10, 10.5, "x")]),
        ("cue-gap", [cue(10, 12), cue(12, 14)]),
    ],
)
def test_a_given_duration_that_is_too_short_is_the_authors(rule: str, bad: list[ParsedCue]) -> None:
    assert outcomes(*bad)[rule] == "warning"


def test_a_file_of_the_authors_may_be_hard_to_read_but_not_be_written_wrong() -> None:
    bad = (cue(0, 1, "x" * 50), cue(1.01, 9.5, "a", "b", "c"), cue(9.6, 11, "y"))
    found = outcomes(*bad, other=bad[1:], authored=True)
    assert found.pop("srt-and-vtt") == "broken"
    assert set(found.values()) == {"warning"}
    assert set(outcomes(cue(0, 2), cue(2.1, 4), authored=True).values()) == {"ok"}


def test_limits_are_those_of_the_language() -> None:
    line = cue(0, 5, "ボードを置いて、山札から四枚引く")
    assert outcomes(line, language="ja")["cue-width"] == "broken"
    assert outcomes(line, language="")["cue-width"] == "broken"  # by its script
    assert outcomes(cue(0, 5, "x" * 40), language="")["cue-width"] == "ok"


def test_the_two_files_must_agree() -> None:
    assert outcomes(cue(0, 2), other=(cue(0, 3),))["srt-and-vtt"] == "broken"


def test_no_captions_break_nothing() -> None:
    assert set(outcomes().values()) == {"not applicable"}
