from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from numpy.typing import NDArray
from PIL import Image

from app.render.inspect.rules import Expected
from app.render.inspect.sheet import SheetMeter
from app.render.video.encoder import to_frame
from tests.render.encoded import busy, plain

FILM = Expected(
    width=320, height=180, fps=30, frames=101, starts=(0,), lengths=(101,), sources=("given",)
)
#: The frames that a sheet of that film shows.
SHOWN = (5, 18, 31, 44, 56, 69, 82, 95)


def drawn(number: int) -> NDArray[np.uint8]:
    """A frame of the film: a saturated ground, which is another one at every cell, and words."""
    at = min(range(8), key=lambda cell: abs(SHOWN[cell] - number))
    colours = [(200, 30, 40), (30, 180, 60), (20, 60, 200), (240, 200, 30)]
    picture: NDArray[np.uint8] = plain(colours[at % 4])
    picture[60 + 8 * at : 100 + 8 * at, 40:280] = busy(at)[60:100, 40:280]
    return picture


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = Image.new("RGB", (1920, 540))
    for place, number in enumerate(SHOWN):
        cell = Image.fromarray(drawn(number)).resize((480, 270), Image.Resampling.LANCZOS)
        image.paste(cell, (place % 4 * 480, place // 4 * 270))
    path = tmp_path_factory.mktemp("sheet") / "contact-sheet.jpg"
    image.save(path, "JPEG", quality=88, subsampling=0)
    return path


def outcomes(sheet: Path, frames: dict[int, av.VideoFrame]) -> dict[str, str]:
    meter = SheetMeter(sheet, FILM)
    for number, frame in frames.items():
        meter.offer(number, frame)
    return {check.rule: check.outcome for check in meter.checks()}


def film(*, late: int = 0) -> dict[int, av.VideoFrame]:
    """The frames that matter, and one that does not."""
    return {number: to_frame(drawn(number - late)) for number in (0, *SHOWN)}


def test_what_was_drawn_is_what_is_shown(sheet: Path) -> None:
    assert outcomes(sheet, film()) == {"contact-sheet-frames": "ok", "colours": "ok"}


def test_a_film_in_another_matrix_is_found(sheet: Path) -> None:
    wrong = {
        number: av.VideoFrame.from_ndarray(drawn(number), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU601
        )
        for number in SHOWN
    }
    assert outcomes(sheet, wrong)["colours"] == "broken"


@pytest.mark.parametrize("off", [-6, 6])
def test_a_film_that_is_a_little_lighter_or_darker_is_found(sheet: Path, off: int) -> None:
    frames = {
        number: to_frame(np.clip(drawn(number).astype(int) + off, 0, 255).astype(np.uint8))
        for number in SHOWN
    }
    assert outcomes(sheet, frames)["colours"] == "broken"


def test_frames_of_another_time_and_missing_ones_are_found(sheet: Path) -> None:
    assert outcomes(sheet, film(late=13))["contact-sheet-frames"] == "broken"
    half = {number: frame for number, frame in film().items() if number < 60}
    assert outcomes(sheet, half)["contact-sheet-frames"] == "broken"


def test_a_film_without_a_flat_patch_has_no_colours_to_hold(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (270, 480, 3), np.uint8)
    image = Image.fromarray(np.tile(noise, (2, 4, 1)))
    image.save(tmp_path / "sheet.jpg", "JPEG", quality=88, subsampling=0)
    frames = {number: to_frame(noise[:180, :320]) for number in SHOWN}
    assert outcomes(tmp_path / "sheet.jpg", frames)["colours"] == "not applicable"


def test_what_is_no_contact_sheet_is_refused(tmp_path: Path) -> None:
    small = io.BytesIO()
    Image.new("RGB", (64, 64)).save(small, "JPEG")
    path = tmp_path / "sheet.jpg"
    path.write_bytes(small.getvalue())
    with pytest.raises(OSError, match="wrong size"):
        SheetMeter(path, FILM)
