# ruff: noqa: RUF001 - Chinese has commas of its own
from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.render.captions.cues import (
    Cue,
    build_cues,
    caption_warnings,
    reading_speed,
)
from app.render.captions.writer import to_srt, to_vtt
from app.render.model.storyboard import Background, Narration, Step, Storyboard
from tests.render.films import make_film, make_step

GAP = 0.083
TEXT = (
    "On your turn, take one card from the market, then refill the market from the draw pile. "
    "Each turn has two phases: take and refill. The game ends when the draw pile is empty"
)
CHINESE = "将所有卡牌洗匀，然后发给每位玩家五张。剩下的牌面朝下放在桌子中央，作为抽牌堆。"
JAPANESE = "カードをよくシャッフルして、各プレイヤーに五枚ずつ配ります。残りは山札になります。"
KOREAN = "카드를 모두 섞은 다음 각 플레이어에게 다섯 장씩 나누어 줍니다. 남은 카드는 덱이 됩니다."


def spoken(seconds: float, *, offset: float = 0.0) -> Narration:
    return Narration("take", Path("take.wav"), offset, 0.0, seconds)


def test_every_word_appears_in_order_even_an_unpunctuated_tail() -> None:
    cues = build_cues(make_film(make_step(TEXT, frames=600)))
    assert " ".join(line for cue in cues for line in cue.lines).split() == TEXT.split()
    assert [cue.index for cue in cues] == list(range(1, len(cues) + 1))


def test_cues_keep_all_limits_where_the_step_is_long_enough() -> None:
    film = make_film(make_step(TEXT, frames=480), make_step(TEXT, frames=480))
    cues = build_cues(film)
    for cue in cues:
        assert len(cue.lines) <= 2
        assert max(map(len, cue.lines)) <= 42
        assert 1 <= cue.end_seconds - cue.start_seconds <= 7
        assert cue.speed <= 17
        step = next(step for step in film.steps if step.id == cue.step_id)
        assert step.start / 30 <= cue.start_seconds
        assert cue.end_seconds <= step.end / 30
        assert (cue.start_seconds * 30) == pytest.approx(round(cue.start_seconds * 30))
    for before, after in pairwise(cues):
        assert after.start_seconds - before.end_seconds >= GAP
    assert caption_warnings(film, cues) == ()
    assert reading_speed(cues) == max(cue.speed for cue in cues)


def test_no_cue_or_line_ends_on_an_abbreviation_or_a_list_number() -> None:
    text = (
        "Choose any one of the wooden tokens, e.g. the red one, which is worth more vs. the others."
        " See p. 4 or No. 5. 1. Shuffle all of the cards you have. 2. Deal five. No. Stop"
    )
    for frames in (300, 450, 900):
        for cue in build_cues(make_film(make_step(text, frames=frames))):
            for line in cue.lines:
                assert not re.search(r"(e\.g|vs|p|\b[12])\.$", line), line


@pytest.mark.parametrize(
    ("language", "text", "line", "speed"),
    [
        ("zh", CHINESE, 16, 9),
        ("ja", JAPANESE, 13, 4),
        ("ko-KR", KOREAN, 16, 12),
        ("en", CHINESE, 16, 9),
        ("en", JAPANESE, 13, 4),
        ("de", KOREAN, 16, 12),
    ],
)
def test_cjk_is_cut_without_spaces_and_by_its_own_limits(
    language: str, text: str, line: int, speed: int
) -> None:
    cues = build_cues(make_film(make_step(text, frames=900), language=language))
    assert len(cues) > 1
    joined = "".join("".join(cue.lines) for cue in cues)
    assert joined.replace(" ", "") == text.replace(" ", "")
    for cue in cues:
        assert len(cue.lines) <= 2
        assert max(map(len, cue.lines)) <= line
        assert cue.speed <= speed
        assert not any(part[0] in "，。、" for part in cue.lines)


def test_cues_follow_the_narration_in_its_step() -> None:
    step = make_step("First words of it. " * 6, frames=600, narration=spoken(9.0, offset=1.5))
    cues = build_cues(make_film(make_step(frames=90), step))
    assert cues[0].start_seconds == 3 + 1.5
    assert cues[-1].end_seconds == pytest.approx(3 + 1.5 + 9, abs=1 / 30)


def test_slow_speech_is_cut_into_more_cues() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve thirteen"
    fast = build_cues(make_film(make_step(text, frames=150)))
    slow = build_cues(make_film(make_step(text, frames=600, narration=spoken(14.0))))
    assert len(fast) == 1
    assert len(slow) == 2
    assert slow[-1].end_seconds > 13.5


def test_fast_speech_may_stand_until_the_step_ends() -> None:
    film = make_film(make_step(TEXT, frames=600, narration=spoken(4.0)))
    cues = build_cues(film)
    assert reading_speed(cues) <= 17
    assert cues[-1].end_seconds > 4


def test_a_step_too_short_for_its_text_keeps_every_word_and_is_reported() -> None:
    film = make_film(make_step("word " * 400, frames=15), make_step("Fine.", frames=60))
    cues = build_cues(film)
    assert sum(line.count("word") for cue in cues for line in cue.lines) == 400
    assert all(cue.end_seconds > cue.start_seconds for cue in cues)
    assert all(cue.end_seconds <= 0.5 for cue in cues[:-1])
    (warning,) = caption_warnings(film, cues)
    assert "step-1" in warning
    assert "17 is the limit" in warning


def test_a_short_sentence_stands_for_a_second_at_least() -> None:
    words = "Go! Then everybody counts what is left of the coins and the sheep that they have got"
    for cue in build_cues(make_film(make_step(words, frames=180))):
        assert cue.end_seconds - cue.start_seconds >= 1


def test_a_word_longer_than_a_line_is_broken_not_dropped() -> None:
    url = "https://example.org/" + "rules-" * 20
    cues = build_cues(make_film(make_step(f"See {url} now", frames=600)))
    lines = [line for cue in cues for line in cue.lines]
    assert max(map(len, lines)) <= 42
    assert "".join(lines).replace(" ", "") == f"See{url}now"


def test_an_emoji_with_its_joiners_and_skin_tone_stays_whole() -> None:
    family = "\U0001f469\U0001f3fd\u200d\U0001f680"
    cues = build_cues(make_film(make_step(family * 30, frames=300)))
    for cue in cues:
        for line in cue.lines:
            assert line.replace(family, "") == ""


def test_steps_without_words_have_no_cues() -> None:
    film = make_film(make_step(" \n\x07 ", frames=30), make_step("", frames=30))
    assert build_cues(film) == ()
    assert reading_speed(()) == 0


def test_srt_and_vtt_are_written_with_whole_milliseconds() -> None:
    film = make_film(make_step("One.", frames=40), make_step("Two.", frames=40))
    cues = build_cues(film)
    assert to_srt(cues) == (
        "1\n00:00:00,000 --> 00:00:01,233\nOne.\n\n2\n00:00:01,334 --> 00:00:02,566\nTwo.\n\n"
    )
    assert to_vtt(cues).startswith("WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.233\nOne.\n\n2\n")


def test_markup_in_the_text_is_shown_not_obeyed() -> None:
    text = "--> & <b>bold</b> 1 < 2 {\\an8}up"
    cues = build_cues(make_film(make_step(text, frames=90)))
    body = to_vtt(cues).split("\n", 4)[4]
    assert body.strip() == "--&gt; &amp; &lt;b&gt;bold&lt;/b&gt; 1 &lt; 2 {\\an8}up"
    srt = to_srt(cues)
    assert srt.count("-->") == 1
    assert not re.search(r"</?b>|\{\\an8", srt)
    assert srt.replace("\u2060", "").split("\n", 2)[2].strip() == text


@pytest.mark.parametrize(
    ("lines", "marks"),
    [
        (("Take UNO.", "and go"), ("", "")),
        (("UNO קח קלף אחד", "והנח אותו"), ("\u200f", "")),
        (("3", "خذ بطاقة واحدة"), ("\u200f", "")),
        (("קלף means card", "in Hebrew"), ("\u200e", "")),
        (("\u200fUNO קח קלף אחד",), ("",)),
    ],
)
def test_a_line_has_the_direction_of_its_cue(
    lines: tuple[str, ...], marks: tuple[str, ...]
) -> None:
    wanted = "\n".join(mark + line for mark, line in zip(marks, lines, strict=True))
    cues = [Cue(1, "s", 0.0, 2.0, lines)]
    assert to_srt(cues).split("\n", 2)[2] == wanted + "\n\n"
    assert to_vtt(cues).split("\n", 4)[4] == wanted + "\n\n"


WORDS = st.text(
    st.sampled_from("abcdefgh.,!?-éüß将卡牌。，、カード카드()\u0301\n \t"), min_size=0, max_size=400
)


@settings(deadline=None, max_examples=150)
@given(
    texts=st.lists(st.tuples(WORDS, st.integers(1, 900)), min_size=1, max_size=3),
    fps=st.sampled_from([24, 25, 30, 50, 60]),
    language=st.sampled_from(["en", "zh", "ja", "ko"]),
)
def test_cues_of_any_text_are_complete_ordered_and_inside_their_steps(
    texts: list[tuple[str, int]], fps: int, language: str
) -> None:
    steps, start = [], 0
    for number, (text, frames) in enumerate(texts):
        ground = Background((0, 0, 0))
        steps.append(
            Step(f"s{number}", start, frames, ground, (), (), (0, 0, 0), text, None, "", "given")
        )
        start += frames
    film = Storyboard("", 320, 180, fps, "draft", language, tuple(steps), True, 0, None)  # noqa: FBT003 - a dataclass's field
    cues = build_cues(film)
    line_limit = {"en": 42, "zh": 16, "ja": 13, "ko": 16}[language]
    for step in steps:
        mine = [cue for cue in cues if cue.step_id == step.id]
        said = "".join("".join(cue.lines) for cue in mine)
        assert "".join(said.split()) == "".join(step.spoken.split())
        reached = step.start / fps
        for cue in mine:
            assert reached <= cue.start_seconds < cue.end_seconds <= step.end / fps
            assert cue.end_seconds - cue.start_seconds <= 7 + 1e-9
            assert all(len(line) <= line_limit or "\u0301" in line for line in cue.lines)
            reached = cue.end_seconds
