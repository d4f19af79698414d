from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from app.render.video.encoder import Form, open_encoder, to_frame
from app.render.video.holds import PERIOD
from app.render.video.segments import X264Segment
from tests.render.encoded import Shown, busy, coded, film, plain

FORM = Form("mp4", 320, 180, 30, "standard", 1)


def tutorial(width: int, height: int) -> list[Shown]:
    """Holds that are long, short, at the end of a step, before a change, and single frames."""
    first, second, third = (busy(seed, width=width, height=height) for seed in range(3))
    ground = plain((15, 23, 42), width=width, height=height)
    return [
        (first, 200, True), (second, 131, False), (third, 70, False), (first, 403, False),
        (third, 1, True), (second, 2, False), (third, 1, False), (first, 5, False),
        (ground, 600, True),
        (second, 64, True), (ground, 65, False), (first, 129, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        Form("mp4", 160, 90, 24, "draft", 1),
        Form("mp4", 160, 90, 30, "standard", 3),
        Form("mp4", 160, 90, 60, "high", 1),
        Form("mp4", 320, 180, 30, "draft", 2),
        Form("mp4", 320, 180, 50, "standard", 1),
        Form("mp4", 90, 160, 25, "high", 2),
    ],
)
def test_a_film_with_holds_repeated_is_byte_for_byte_the_one_encoded_frame_by_frame(
    tmp_path: Path, form: Form
) -> None:
    shown = tutorial(form.width, form.height)
    repeated, encoded = (
        film(
            tmp_path / f"{replay}.mp4",
            shown,
            fps=form.fps,
            quality=form.quality,
            threads=form.threads,
            replay=replay,
        ).read_bytes()
        for replay in (True, False)
    )
    assert repeated == encoded


def test_a_hold_costs_no_more_to_encode_the_longer_it_is() -> None:
    segment = X264Segment(FORM, frames=3_000)
    frames = list(segment.encode(to_frame(busy(1)), frames=3_000))
    assert len(frames) == 3_000
    assert segment._fed < 3 * PERIOD


def test_a_hold_that_is_repeated_stands_still(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [(busy(1), 400, True), (busy(2), 40, False)])
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(video=0)]
    assert len(frames) == 440
    picture = to_frame(busy(1)).to_ndarray().astype(float)
    assert np.abs(frames[399] - picture).mean() < 2
    # x264 may go on to add and take back a step of one code value; the seam shows nothing else.
    assert all(np.array_equal(frames[at], frames[at + PERIOD]) for at in range(60, 400 - PERIOD))
    values = [frame.astype(int) for frame in frames[60:400]]
    assert max(np.abs(one - following).max() for one, following in pairwise(values)) <= 1
    assert np.abs(frames[439] - to_frame(busy(2)).to_ndarray().astype(float)).mean() < 2


def test_a_segment_depends_on_its_own_pictures_alone() -> None:
    step: list[Shown] = [(busy(3), 40, True), (busy(4), 90, False)]
    alone = list(coded(step, FORM))
    list(coded([(busy(5), 70, True)], FORM))
    assert list(coded(step, FORM)) == alone
    assert [frame.keyframe for frame in alone] == [True] + [False] * 129


def test_every_segment_of_a_form_has_the_same_headers() -> None:
    encoder = open_encoder(FORM)
    assert encoder.extradata
    assert encoder.extradata == open_encoder(FORM).extradata
