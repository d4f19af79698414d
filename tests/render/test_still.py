from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.errors import ValidationFailed
from app.render.engine import render
from app.render.still import write_still
from app.stillrequest import StillRequest
from tests.render.encoded import busy
from tests.render.films import make_payload, write_wav

PAYLOAD = make_payload(
    {"id": "text", "title": "Set up", "body": "Put the board down.", "durationSec": 1.7},
    {
        "id": "moving",
        "title": "Play",
        "durationSec": 3,
        "background": {"assetId": "board"},
        "motion": {"type": "ken_burns"},
        "transition": {"in": "fade", "durationSec": 0.5},
    },
    {"id": "spoken", "title": "Score", "body": "Count the points."},
    assets=[
        {"id": "board", "type": "image", "path": "board.png", "alt": "The board"},
        {"id": "voice", "type": "audio", "path": "voice.wav"},
    ],
    audio={"narration": [{"stepId": "spoken", "assetId": "voice"}]},
    options={"resolution": "320x180", "quality": "high"},
)


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    Image.fromarray(busy(1, width=400, height=300)).save(tmp_path / "board.png")
    write_wav(tmp_path / "voice.wav", seconds=2.5)
    return tmp_path


def still(assets: Path, **wishes: Any) -> Image.Image:
    wish = StillRequest(**({"format": "png"} | wishes))
    out = Path(tempfile.mkdtemp(dir=assets))  # after an exception its content is undefined
    result = write_still(
        wish.order(PAYLOAD), asset_dir=assets, out_dir=out, threads=1, on_progress=lambda _: None
    )
    (file,) = result.files
    assert (file.kind, file.content_type, file.name) == ("still", wish.media_type, wish.file_name)
    assert file.bytes == (out / file.name).stat().st_size
    assert [path.name for path in out.iterdir()] == [file.name]
    with Image.open(out / file.name) as image:
        image.load()
    return image


def decibels(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def test_a_still_shows_what_the_film_shows_at_that_moment(assets: Path) -> None:
    film = assets / "film"
    render(PAYLOAD, asset_dir=assets, out_dir=film, threads=1, on_progress=lambda _: None)
    with av.open(str(film / "preview.mp4")) as file:
        frames = [
            frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in file.decode(video=0)
        ]
    # A text, the fade between two steps, a movement, the last frame. Half frames change nothing.
    for moment in (0.5, 1.7, 1.9, 2.05, 3.4, (len(frames) - 0.5) / 30):
        shown = frames[int(moment * 30 + 1e-6)]
        assert decibels(np.asarray(still(assets, at=moment)), shown) > 30, moment
    # A frame of a movement differs from its neighbours by less than that, so compare them too.
    here = np.asarray(still(assets, at=3.4))
    assert max(range(90, 114), key=lambda at: decibels(here, frames[at])) in (101, 102, 103)


def test_a_still_of_a_step_shows_what_the_step_shows_longest(assets: Path) -> None:
    for step, moment in (("text", 0.6), ("moving", 3.2), ("spoken", 5.0)):
        assert still(assets, step=step) == still(assets, at=moment)


@pytest.mark.parametrize(("form", "least"), [("jpeg", 33), ("webp", 30), ("png", 100)])
def test_a_still_is_written_in_each_format(assets: Path, form: str, least: float) -> None:
    exact = np.asarray(still(assets, step="text"))
    written = still(assets, step="text", format=form)
    assert written.format == form.upper()
    assert decibels(np.asarray(written.convert("RGB")), exact) > least


@pytest.mark.parametrize(
    ("width", "size"), [(None, (320, 180)), (161, (161, 91)), (16, (16, 9)), (1280, (320, 180))]
)
def test_a_still_is_scaled_down_but_never_up(
    assets: Path, width: int | None, size: tuple[int, int]
) -> None:
    assert still(assets, step="text", width=width).size == size


def test_a_moment_outside_the_film_is_refused_with_its_length(assets: Path) -> None:
    for at in (-0.1, 7.5, 1e9):
        with pytest.raises(ValidationFailed, match=r"the film lasts 7\.5 s") as refused:
            still(assets, at=at)
        assert refused.value.errors[0].pointer == "/at"


def test_a_step_that_does_not_exist_is_refused_with_those_that_do(assets: Path) -> None:
    with pytest.raises(ValidationFailed, match="'other'; the film has: text, moving, spoken"):
        still(assets, step="other")
