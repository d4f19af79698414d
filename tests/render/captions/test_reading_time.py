# ruff: noqa: RUF001 - Chinese has commas of its own
"""Steps last as long as their captions take to be read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.render.captions.cues import build_cues, caption_warnings, needed_frames
from app.render.captions.readability import readability
from app.render.model.storyboard import Storyboard
from tests.render.films import make_payload
from tests.render.requests import storyboard_of

LONG = "Take one card from the market, then refill the market from the draw pile. " * 4


def film_of(
    *steps: dict[str, Any], audio: dict[str, Any] | None = None, seconds: float = 0, **options: Any
) -> Storyboard:
    payload = make_payload(*steps, audio=audio or {}, options=options)
    assets = {"take": Path("take.wav")}
    return storyboard_of(payload, assets, seconds={"take": seconds} if seconds else {})


def test_a_given_duration_is_lengthened_to_what_its_captions_need_and_that_is_told() -> None:
    film = film_of({"id": "a", "narration": LONG, "durationSec": 4}, {"id": "b", "text": "Go on."})
    step = film.steps[0]
    assert step.frames / 30 >= len(LONG.strip()) / 17
    assert step.frames / 30 <= len(LONG.strip()) / 17 + 1.5
    lasts = f"lasts {step.frames / 30:.2f} s instead of 4.00 s"
    assert film.warnings == (f"step a: {lasts}, or its captions could not be read",)
    assert caption_warnings(film, build_cues(film)) == ()
    assert step.duration_source == "given"


def test_an_estimated_duration_is_long_enough_without_a_word() -> None:
    film = film_of({"id": "a", "title": "Play", "narration": LONG})
    assert film.warnings == ()
    assert caption_warnings(film, build_cues(film)) == ()


def test_a_duration_in_which_the_captions_can_be_read_stays() -> None:
    film = film_of({"text": "Hello there.", "durationSec": 1}, {"text": LONG, "durationSec": 25})
    assert [step.frames for step in film.steps] == [30, 750]
    assert film.warnings == ()


def test_without_captions_a_given_duration_stays() -> None:
    step = {"narration": LONG, "durationSec": 4}
    assert film_of(step, includeCaptions=False).frames == 120
    assert film_of(step, includeCaptions=False, burnInCaptions=True).frames > 500


@pytest.mark.parametrize("seconds", [3.5, 0])
def test_a_recording_sets_its_own_pace(seconds: float) -> None:
    audio = {"narration": [{"stepId": "a", "assetId": "take"}]}
    step = {"id": "a", "narration": LONG, "durationSec": 4}
    film = film_of(step, audio=audio, seconds=seconds)
    assert film.frames == 120
    (warning,) = caption_warnings(film, build_cues(film))
    assert "17 is the limit" in warning


def test_pages_and_captions_of_one_step_both_can_be_read() -> None:
    text = "Every player counts the coins and the sheep that are left. " * 30
    film = film_of({"id": "a", "text": text, "durationSec": 5}, resolution="320x180")
    assert caption_warnings(film, build_cues(film)) == ()
    assert len(film.steps[0].texts) > 1
    assert film.steps[0].texts[-1].span.end == film.steps[0].frames


WORDS = st.text(
    st.sampled_from("abcdefgh.,!? éß将卡牌。，、カード카드אבגقدم()\n"), min_size=1, max_size=500
)


@settings(deadline=None, max_examples=80)
@given(
    texts=st.lists(WORDS, min_size=1, max_size=3),
    seconds=st.floats(0.5, 30),
    fps=st.sampled_from([24, 25, 30, 50, 60]),
    language=st.sampled_from(["en", "zh", "ja", "ko", "ar"]),
)
def test_captions_of_any_silent_film_keep_every_rule(
    texts: list[str], seconds: float, fps: int, language: str
) -> None:
    steps = [{"narration": text, "durationSec": seconds} for text in texts]
    film = film_of(*steps, fps=fps, language=language, maxDurationSec=1800)
    cues = build_cues(film)
    assert caption_warnings(film, cues) == ()
    for cue in cues:
        limits = readability(language, "\n".join(cue.lines))
        step = next(step for step in film.steps if step.id == cue.step_id)
        several = sum(other.step_id == cue.step_id for other in cues) > 1
        assert cue.speed <= limits.speed + 1e-9
        assert len(cue.lines) <= 2
        assert max(map(len, cue.lines)) <= limits.line
        assert cue.end_seconds - cue.start_seconds <= 7 + 1e-9
        if several:
            assert cue.end_seconds - cue.start_seconds >= 1 - 1e-9
        assert step.start / fps <= cue.start_seconds
        assert cue.end_seconds <= step.end / fps
    for before, after in pairwise(cues):
        assert after.start_seconds - before.end_seconds >= 0.083


@settings(deadline=None, max_examples=80)
@given(text=WORDS, frames=st.integers(1, 900), fps=st.sampled_from([24, 30, 60]))
def test_what_is_needed_is_enough_and_never_less_than_what_there_is(
    text: str, frames: int, fps: int
) -> None:
    needed = needed_frames(text, language="en", fps=fps, frames=frames)
    assert needed >= frames
    assert needed_frames(text, language="en", fps=fps, frames=needed) == needed


@pytest.mark.parametrize(
    "quoted",
    [
        "将所有卡牌洗匀然后发给每位玩家五张剩下的牌面朝下放在桌子中央作为抽牌堆",
        "カードをよくシャッフルして",
    ],
)
def test_a_quotation_in_another_script_has_its_own_limits(quoted: str) -> None:
    text = f"Every player now reads what the card says. {quoted}。 Then all of you discard it. " * 2
    film = film_of({"narration": text, "durationSec": 5})
    cues = build_cues(film)
    assert caption_warnings(film, cues) == ()
    for cue in cues:
        own = readability("en", "\n".join(cue.lines))
        assert max(map(len, cue.lines)) <= own.line
        assert cue.speed <= own.speed
    assert "".join("".join(cue.lines) for cue in cues).replace(" ", "") == text.replace(" ", "")


def test_nothing_spoken_needs_no_time() -> None:
    assert needed_frames(" \n ", language="en", fps=30, frames=7) == 7
