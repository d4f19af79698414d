from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from app.render.model.storyboard import (
    Background,
    Narration,
    Picture,
    PictureLayer,
    Span,
    Step,
    Storyboard,
    TextLayer,
    Transition,
)
from app.render.picture.compose import Run, runs
from app.render.video.encoder import Form
from app.render.video.stepkey import StepKeys, build_digest
from tests.render.films import make_film, make_step, write_png

FORM = Form("mp4", 320, 180, 30, "draft")
TEXT = TextLayer("body", "Take a card.", "center", Span(0, 30))


def keys(film: Storyboard, form: Form = FORM) -> list[str]:
    maker = StepKeys(film, form)
    groups: dict[int, list[Run]] = {}
    for run in runs(film):
        groups.setdefault(run.step_index, []).append(run)
    return [maker.key(index, shown) for index, shown in groups.items()]


def step(**changes: Any) -> Step:
    return replace(make_step(), texts=(TEXT,), **changes)


def test_a_step_keeps_its_key_wherever_it_stands_and_whatever_it_is_called() -> None:
    film = make_film(step())
    (key,) = keys(film)
    later = make_film(make_step(frames=77), replace(step(), duration_source="estimate"))
    assert keys(later)[1] == key
    changed = replace(film, title="Another", thumbnails=3, poster_at=2, include_captions=False)
    assert keys(changed) == [key]
    assert len(key) == 64


def test_an_edit_changes_the_key_of_its_own_step_alone() -> None:
    before = keys(make_film(step(), step(frames=45), step(accent=(1, 2, 3))))
    edited = replace(step(frames=45), texts=(replace(TEXT, text="Take two."),))
    after = keys(make_film(step(), edited, step(accent=(1, 2, 3))))
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]
    assert len(set(before)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"background": Background((1, 2, 3))},
        {"accent": (9, 9, 9)},
        {"frames": 31},
        {"texts": (replace(TEXT, span=Span(0, 20)),)},
        {"texts": (replace(TEXT, role="heading"),)},
        {"texts": (TEXT, TEXT)},
    ],
)
def test_all_that_is_seen_counts(change: dict[str, Any]) -> None:
    assert keys(make_film(replace(step(), **change))) != keys(make_film(step()))


@pytest.mark.parametrize(
    "change",
    [
        {"container": "webm"}, {"width": 322}, {"height": 182}, {"fps": 25},
        {"quality": "high"},
    ],
)  # fmt: skip
def test_all_that_the_encoder_is_told_counts(change: dict[str, Any]) -> None:
    film = make_film(step())
    assert keys(film, replace(FORM, **change)) != keys(film)


def test_a_file_counts_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    def shown(path: Path) -> list[str]:
        picture = PictureLayer(Picture(path.stem, path), None, "contain", 0, Span(0, 30))
        return keys(make_film(step(pictures=(picture,))))

    first = shown(write_png(tmp_path / "one.png"))
    assert shown(write_png(tmp_path / "two.png")) == first
    assert shown(write_png(tmp_path / "one.png", colour="#c02041")) != first


def test_the_sound_of_a_narration_does_not_count_but_its_times_do(tmp_path: Path) -> None:
    take = Narration("voice", tmp_path / "a.wav", 0.5, 0.0, 2.0)
    key = keys(make_film(step(narration=take)))
    louder = replace(take, path=tmp_path / "b.wav", gain_db=3.0)
    assert keys(make_film(step(narration=louder))) == key
    assert keys(make_film(step(narration=replace(take, offset_seconds=0.6)))) != key


def test_a_step_that_comes_out_of_another_depends_on_it() -> None:
    fade = step(transition=Transition("crossfade", 10))
    black = [keys(make_film(before, fade))[1] for before in (step(), step(accent=(1, 1, 1)))]
    assert len({*black, *keys(make_film(fade))}) == 3
    cut = [keys(make_film(before, step()))[1] for before in (step(), step(accent=(1, 1, 1)))]
    assert len(set(cut)) == 1


def test_a_field_that_nobody_listed_counts() -> None:
    @dataclass(frozen=True)
    class Shadow:
        depth: int
        kinds: frozenset[str] = frozenset({"b", "a"})

    one, other = (keys(make_film(step(accent=Shadow(depth)))) for depth in (1, 2))
    assert one != other
    assert keys(make_film(step(accent=Shadow(1)))) == one


def test_the_build_is_part_of_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    film = make_film(step())
    before = keys(film)
    assert build_digest() == build_digest.__wrapped__()
    monkeypatch.setattr("app.render.video.stepkey.__version__", "99.0")
    build_digest.cache_clear()
    try:
        assert keys(film) != before
    finally:
        monkeypatch.undo()
        build_digest.cache_clear()
    assert keys(film) == before
