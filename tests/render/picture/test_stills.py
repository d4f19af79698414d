from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.render.model.storyboard import Storyboard
from app.render.picture.stills import Stills
from tests.render.films import make_film, make_step


def plain(value: int, *, width: int = 320, height: int = 180) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


def lively(value: int) -> NDArray[np.uint8]:
    picture = plain(value)
    picture[60:120, 80:240] = 255
    return picture


def offered(film: Storyboard, pictures: list[NDArray[np.uint8]], out: Path) -> dict[str, Path]:
    stills = Stills(film)
    for step, picture in zip(film.steps, pictures, strict=True):
        wish = stills.wish(start=step.start, frames=step.frames)
        shot = stills.shot(picture, wish, start=step.start)
        stills.add(shot, start=step.start, frames=step.frames)
    return {path.relative_to(out).as_posix(): path for _, path in stills.save(out)}


def test_the_poster_passes_over_black_and_empty_frames(tmp_path: Path) -> None:
    film = make_film(*[make_step()] * 4)
    files = offered(film, [plain(0), plain(200), lively(80), lively(20)], tmp_path)
    poster = Image.open(files["poster.jpg"])
    assert poster.size == (1280, 720)
    assert abs(np.asarray(poster)[5, 5].astype(int) - 80).max() <= 2


def test_the_poster_is_the_least_empty_frame_when_none_is_good(tmp_path: Path) -> None:
    faint = plain(20)
    faint[:, 160:] = 24
    files = offered(make_film(*[make_step()] * 3), [plain(0), faint, plain(255)], tmp_path)
    assert np.asarray(Image.open(files["poster.jpg"])).mean() > 15


def test_the_poster_is_the_frame_that_was_asked_for(tmp_path: Path) -> None:
    film = make_film(*[make_step()] * 3, poster_at=75)
    files = offered(film, [lively(10), lively(50), plain(120)], tmp_path)
    assert abs(np.asarray(Image.open(files["poster.jpg"])).astype(int) - 120).max() <= 2


def test_a_poster_time_after_the_end_is_the_last_frame(tmp_path: Path) -> None:
    files = offered(make_film(make_step(), poster_at=5000), [plain(99)], tmp_path)
    assert abs(np.asarray(Image.open(files["poster.jpg"])).astype(int) - 99).max() <= 2


def test_the_contact_sheet_shows_eight_frames_from_5_to_95_percent(tmp_path: Path) -> None:
    steps = [make_step(frames=1)] * 200
    files = offered(make_film(*steps), [plain(value) for value in range(200)], tmp_path)
    sheet = np.asarray(Image.open(files["contact-sheet.jpg"]).convert("L"), np.float64)
    assert sheet.shape == (540, 1920)
    cells = [
        sheet[y : y + 200, x : x + 400].mean() for y in (35, 305) for x in range(40, 1920, 480)
    ]
    assert np.allclose(cells, np.linspace(0.05, 0.95, 8) * 199, atol=1.5)


def test_thumbnails_are_spread_over_the_film_and_numbered(tmp_path: Path) -> None:
    film = make_film(*[make_step()] * 3, thumbnails=3)
    files = offered(film, [plain(40), plain(120), plain(220)], tmp_path)
    for name, value in {"01": 40, "02": 120, "03": 220}.items():
        picture = np.asarray(Image.open(files[f"thumbnails/{name}.jpg"]))
        assert picture.shape == (270, 480, 3)
        assert abs(picture.astype(int) - value).max() <= 2


def test_a_film_of_another_shape_is_shown_whole_between_black_bars(tmp_path: Path) -> None:
    files = offered(make_film(make_step()), [plain(200, width=180, height=320)], tmp_path)
    poster = np.asarray(Image.open(files["poster.jpg"]).convert("L"))
    assert poster[360, 10] < 5
    assert poster[10, 640] > 190
    assert poster[710, 640] > 190


def test_stills_hold_no_time_and_are_the_same_every_time(tmp_path: Path) -> None:
    film = make_film(make_step(), thumbnails=1)
    first = offered(film, [lively(70)], tmp_path / "a")
    second = offered(film, [lively(70)], tmp_path / "b")
    assert {n: p.read_bytes() for n, p in first.items()} == {
        n: p.read_bytes() for n, p in second.items()
    }
    with Image.open(first["poster.jpg"]) as poster:
        assert not poster.getexif()


def test_small_stills_have_sharp_edges_and_no_pattern_of_their_own(tmp_path: Path) -> None:
    picture = plain(0, width=1920, height=1080)
    picture[:540, (np.arange(1920) // 8) % 2 == 1] = 255  # two pixels of a cell each
    picture[540:] = 255 * ((np.arange(540)[:, None] + np.arange(1920)) % 2)[..., None]
    files = offered(make_film(make_step(), thumbnails=1), [picture], tmp_path)
    cell = np.asarray(Image.open(files["thumbnails/01.jpg"]).convert("L")).astype(int)
    stripes = cell[20:120]
    assert stripes[:, 4::4].max() < 30
    assert stripes[:, 2::4].min() > 225
    assert abs(cell[150:260] - 127).max() < 12
