from __future__ import annotations

import json

from app.render.model.chapters import chapters_json
from tests.render.films import make_film, make_step


def test_chapters_span_the_film_from_zero() -> None:
    film = make_film(
        make_step(frames=300, chapter_title="Überblick"),
        make_step(frames=150, chapter_title="Setup"),
        make_step(frames=150),
        make_step(frames=310, chapter_title="Play"),
    )
    content = chapters_json(film)
    assert content is not None
    assert json.loads(content)["chapters"] == [
        {"startTime": 0.0, "endTime": 10.0, "title": "Überblick"},
        {"startTime": 10.0, "endTime": 20.0, "title": "Setup"},
        {"startTime": 20.0, "endTime": 30.333, "title": "Play"},
    ]
    assert "Überblick" in content.decode()


def test_fewer_than_three_chapters_are_left_out() -> None:
    assert chapters_json(make_film(*[make_step(frames=600, chapter_title="A")] * 2)) is None


def test_a_chapter_shorter_than_ten_seconds_leaves_all_out() -> None:
    titled = [make_step(frames=frames, chapter_title="A") for frames in (300, 299, 300)]
    assert chapters_json(make_film(*titled)) is None


def test_chapters_that_begin_after_the_film_are_left_out() -> None:
    titled = [make_step(frames=300, chapter_title="A")] * 3
    assert chapters_json(make_film(make_step(frames=30), *titled)) is None


def test_a_title_of_two_lines_is_one_line() -> None:
    titles = ("Line one\nLine\u2028two", "B", "C")
    film = make_film(*[make_step(frames=300, chapter_title=title) for title in titles])
    content = chapters_json(film)
    assert content is not None
    assert json.loads(content)["chapters"][0]["title"] == "Line one Line two"
