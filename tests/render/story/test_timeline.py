from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ValidationFailed
from app.render.model.pacing import page_seconds
from app.render.model.storyboard import Storyboard
from app.render.text.setting import clean
from tests.render.requests import storyboard_of

LONG = "Each player draws one card and places it face up on the table. " * 31


def job(
    *steps: dict[str, Any], options: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    request = {"steps": list(steps), "assets": [], "audio": {}, "options": options or {}, **more}
    return {"jobId": "j", "projectId": "p", "previewRequest": request, "dryRun": False}


def build(payload: dict[str, Any], **seconds: float) -> Storyboard:
    assets = {name: Path(name) for name in (*seconds, "pic")}
    return storyboard_of(payload, assets, seconds=seconds)


def narrated(*steps: dict[str, Any], **entry: Any) -> dict[str, Any]:
    narration = [{"stepId": "s", "assetId": "voice", **entry}]
    return job(*steps, audio={"narration": narration})


def test_defaults_are_720p_at_30_frames_a_second() -> None:
    board = build(job({"text": "Hello"}))
    assert (board.width, board.height, board.fps) == (1280, 720, 30)
    assert (board.quality, board.language, board.include_captions) == ("standard", "en", True)
    assert board.steps[0].id == "step-1"


def test_options_are_taken_over() -> None:
    options = {"resolution": "720x1280", "fps": 25, "quality": "draft", "language": "de",
               "includeCaptions": False, "thumbnails": 7, "posterAtSec": 99}  # fmt: skip
    board = build(job({"text": "Hello", "durationSec": 2}, options=options))
    assert (board.width, board.height, board.fps, board.frames) == (720, 1280, 25, 50)
    assert (board.quality, board.language, board.include_captions) == ("draft", "de", False)
    assert (board.thumbnails, board.poster_at) == (7, 49)


@given(
    seconds=st.lists(st.floats(0.5, 5.0), min_size=1, max_size=20),
    fps=st.sampled_from([24, 25, 30, 50, 60]),
)
def test_steps_follow_without_gap_and_the_film_never_drifts(seconds: list[float], fps: int) -> None:
    steps = [{"durationSec": value} for value in seconds]
    board = build(job(*steps, options={"fps": fps}))
    assert board.frames == round(sum(seconds) * fps)
    for before, after in zip(board.steps, board.steps[1:], strict=False):
        assert before.end == after.start
    for index, step in enumerate(board.steps):
        assert abs(step.start - sum(seconds[:index]) * fps) <= 0.5 + 1e-6


def test_a_step_without_a_duration_is_paced_by_its_words() -> None:
    board = build(job({"title": "Setup", "body": "nine words make this a rather short body text"}))
    assert board.frames == round((4 + 0.15 * 10 + 0.45) * 30)
    assert board.steps[0].duration_source == "estimate"


def test_a_narration_gives_its_step_its_length() -> None:
    board = build(narrated({"id": "s", "text": "Hi"}, offsetSec=0.5, gainDb=-3), voice=4.0)
    (step,) = board.steps
    assert (step.frames, step.duration_source) == (round(4.8 * 30), "narration")
    assert step.narration is not None
    assert (step.narration.offset_seconds, step.narration.gain_db) == (0.5, -3)


def test_a_step_too_short_for_its_narration_is_lengthened_and_says_so() -> None:
    board = build(narrated({"id": "s", "durationSec": 2}), voice=4.0)
    assert board.steps[0].frames == round(4.3 * 30)
    assert any("step s" in warning and "narration" in warning for warning in board.warnings)


def test_a_step_long_enough_for_its_narration_keeps_its_duration() -> None:
    board = build(narrated({"id": "s", "durationSec": 4}), voice=4.0)
    assert (board.steps[0].frames, board.steps[0].duration_source) == (120, "given")
    assert board.warnings == ()


def test_a_narration_not_measured_yet_leaves_its_step_estimated() -> None:
    board = storyboard_of(narrated({"id": "s", "text": "Hi"}))
    assert (board.steps[0].narration, board.steps[0].duration_source) == (None, "estimate")


def test_a_second_narration_of_a_step_is_left_out_and_says_so() -> None:
    entries: list[dict[str, Any]] = [
        {"stepId": "s", "assetId": "voice"},
        {"stepId": "s", "assetId": "other", "language": "de"},
    ]
    board = build(job({"id": "s"}, audio={"narration": entries}), voice=4.0, other=9.0)
    assert board.steps[0].narration is not None
    assert board.steps[0].narration.asset_id == "voice"
    told = "step s: its narration in de is left out; the film is in en"
    assert told in board.warnings


def test_a_film_longer_than_its_limit_is_invalid() -> None:
    payload = job({"durationSec": 8}, {"durationSec": 8}, options={"maxDurationSec": 15})
    with pytest.raises(ValidationFailed) as caught:
        build(payload)
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == ("/previewRequest/steps", "duration-too-long")
    assert build(job({"durationSec": 8}, options={"maxDurationSec": 8})).frames == 240


def test_a_film_that_is_too_long_by_its_captions_is_refused_before_any_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = [{"text": LONG, "durationSec": 1} for _ in range(6)]

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a step is laid out")

    monkeypatch.setattr("app.render.story.timeline.layout.pages", fail)
    with pytest.raises(ValidationFailed, match="at most 300 s"):
        build(job(*steps, options={"maxDurationSec": 300}))


def test_a_live_job_without_steps_is_a_title_card() -> None:
    board = build(job(title="How to play"))
    (step,) = board.steps
    assert (step.texts[0].role, step.texts[0].text) == ("title", "How to play")
    assert (step.spoken, step.chapter_title) == ("How to play", "How to play")


def test_a_dry_run_without_steps_and_a_job_without_a_title_are_empty() -> None:
    assert build({**job(title="How to play"), "dryRun": True}).frames == 0
    assert build(job()).frames == 0


def test_a_half_second_step_of_two_thousand_characters_is_paged_and_lengthened() -> None:
    text = LONG[:2000].strip()
    board = build(job({"id": "s", "durationSec": 0.5, "text": text}))
    (step,) = board.steps
    assert len(step.texts) >= 2
    assert " ".join(layer.text for layer in step.texts).split() == text.split()
    assert step.texts[0].span.start == 0
    assert step.texts[-1].span.end == step.frames
    for before, after in zip(step.texts, step.texts[1:], strict=False):
        assert before.span.end == after.span.start
    for layer in step.texts:
        shown = (layer.span.end - layer.span.start + 1) / board.fps
        assert shown >= page_seconds(layer.text)
    assert any("pages" in warning for warning in board.warnings)
    assert any("instead of 0.50 s" in warning for warning in board.warnings)


def test_pages_fill_a_step_that_is_long_enough() -> None:
    board = build(job({"id": "s", "durationSec": 120, "title": "Rules", "text": LONG[:2000]}))
    (step,) = board.steps
    assert step.frames == 3600
    assert step.texts[-1].span.end == 3600
    assert step.texts[0].span.end == 3600  # the heading stays
    assert not any("instead of" in warning for warning in board.warnings)


def test_two_paged_texts_are_each_given_time() -> None:
    overlays = [{"text": LONG[:1900]}, {"role": "callout", "text": LONG[:1900]}]
    board = build(job({"id": "s", "durationSec": 1, "overlays": overlays}))
    assert board.seconds >= 2 * 1900 / 17


def test_overlays_keep_their_times_inside_the_step() -> None:
    overlays = [
        {"text": "first", "startSec": 0.5, "endSec": 1.5, "color": "#ff0000"},
        {"text": "late", "startSec": 1, "endSec": 9, "position": "bottom", "role": "caption"},
    ]
    (step,) = build(job({"durationSec": 2, "overlays": overlays})).steps
    first, late = step.texts
    assert (first.span.start, first.span.end, first.colour) == (15, 45, (255, 0, 0))
    assert (late.span.start, late.span.end, late.position) == (30, 60, "bottom")


def test_a_missing_glyph_is_named_in_a_warning() -> None:
    board = build(job({"id": "s", "text": "字 and \U0001f389"}, {"id": "ok", "text": "Łódź ⚀ →"}))
    (warning,) = board.warnings
    assert "step s" in warning
    assert "U+5B57" in warning
    assert "U+1F389" in warning


def test_a_warning_names_twenty_missing_glyphs_at_most() -> None:
    board = build(job({"text": "".join(chr(0x4E00 + index) for index in range(30))}))
    assert "and 10 more" in board.warnings[0]


def test_chapters_are_the_named_ones_else_the_headings() -> None:
    titled = build(job({"title": "A", "body": "x"}, {"title": "B", "chapterTitle": "Two"}))
    assert [step.chapter_title for step in titled.steps] == ["", "Two"]
    plain = build(job({"title": "A", "body": "x"}, {"text": "no heading"}))
    assert [step.chapter_title for step in plain.steps] == ["A", ""]


def test_pictures_span_their_step() -> None:
    (step,) = build(job({"durationSec": 2, "visuals": [{"assetId": "pic"}]})).steps
    assert (step.pictures[0].span.start, step.pictures[0].span.end) == (0, 60)


def test_more_texts_than_fit_at_a_readable_size_are_told() -> None:
    overlays = [{"text": clean(LONG)[:300], "placement": BOX} for _ in range(8)]
    board = build(job({"id": "s", "overlays": overlays, "durationSec": 9}))
    assert "step s: has more texts than fit at a readable size" in board.warnings


#: Half a line high, so that eight texts cannot share it.
BOX = {"x": 0.1, "y": 0.1, "width": 0.8, "height": 0.05}


def test_the_same_payload_gives_the_same_storyboard() -> None:
    payload = job({"title": "Setup", "body": LONG[:1500]}, {"text": "مرحبا"})
    assert build(payload) == build(payload)
