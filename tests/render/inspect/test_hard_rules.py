from __future__ import annotations

from pathlib import Path

import pytest

from app.render.engine import render
from tests.render.films import make_payload


@pytest.mark.parametrize("form", ["mp4", "webm"])
@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
@pytest.mark.parametrize("seconds", [0.05, 1.27])
def test_no_hard_rule_stands_in_the_way_of_a_proper_film(
    tmp_path: Path, form: str, fps: int, seconds: float
) -> None:
    steps = [{"id": f"s{number}", "durationSec": seconds} for number in range(2)]
    options = {"resolution": "160x90", "quality": "draft", "fps": fps, "format": form}
    result = render(
        make_payload(*steps, options=options | {"thumbnails": 0}),
        asset_dir=tmp_path,
        out_dir=tmp_path / "out",
        threads=1,
        on_progress=lambda _: None,
    )
    assert result.frames == round(2 * seconds * fps)
