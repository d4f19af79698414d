from __future__ import annotations

from app.render.video.encoder import Form
from tests.render.films import make_film, make_step


def test_a_film_is_shown_in_one_short_line() -> None:
    film = make_film(make_step("Deal five cards.", frames=45), make_step(frames=30))
    assert repr(film) == "<Storyboard 'A film': 2 steps, 2.5 s, 320x180 at 30 fps>"
    assert repr(film.steps[1]) == "<Step 'step-2': frames 45 to 75>"
    assert repr(Form("mp4", 320, 180, 30, "draft")) == "<Form mp4 320x180 at 30 fps, draft>"
