from __future__ import annotations

from pathlib import Path
from typing import Any

from app.contract import load_contract
from app.render.engine import render
from app.render.model.numbers import whole_numbers
from app.render.plan import plan
from tests.support.payloads import payload


def test_numbers_without_a_fraction_become_whole_wherever_they_are() -> None:
    found = whole_numbers({"a": [1.0, 2.5, {"b": -3.0}], "c": "4.0", "d": True, "e": None, "f": 7})
    assert repr(found) == "{'a': [1, 2.5, {'b': -3}], 'c': '4.0', 'd': True, 'e': None, 'f': 7}"


def job(one: float, two: float, rate: float) -> dict[str, Any]:
    given = payload()
    request = given["previewRequest"]
    request["options"] |= {"fps": rate, "thumbnails": two}
    request["steps"][0]["overlays"] = [{"text": "Hello", "startSec": one - one, "endSec": one}]
    return given


def test_a_job_whose_whole_numbers_have_a_point_is_accepted_planned_and_rendered(
    tmp_path: Path,
) -> None:
    given = job(1.0, 2.0, 24.0)
    load_contract().check(given)
    planned = plan(given)
    assert repr(planned) == repr(plan(job(1, 2, 24)))
    result = render(
        given, asset_dir=tmp_path, out_dir=tmp_path / "out", threads=1, on_progress=lambda _: None
    )
    assert result.frames == planned["frames"]
    assert [file.kind for file in result.files].count("thumbnail") == 2
