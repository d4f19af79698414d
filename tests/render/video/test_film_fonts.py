from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.errors import AssetFailed
from app.render import Limits, StepCachePlace, render_in_child
from app.render.engine import render
from app.render.plan import plan
from tests.render.films import make_payload
from tests.render.fontmaker import build, write_collection, write_emoji, write_font

LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
STEPS: list[dict[str, Any]] = [
    {"id": "one", "body": "字か 🎲", "durationSec": 1.5, "background": {"color": "#000000"}},
    {"id": "two", "body": "Take a card", "durationSec": 1.5},
]
PLAIN = {"resolution": "320x180", "quality": "draft", "includeCaptions": False, "thumbnails": 0}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    found = tmp_path / "fonts"
    found.mkdir()
    write_font(found / "han.ttf", "字か", family="Han")
    write_emoji(found / "emoji.ttf", {"🎲": "#ff0000"})
    return found


def payload(*steps: dict[str, Any], fonts: Sequence[str] = (), **options: Any) -> dict[str, Any]:
    assets = [{"id": Path(path).stem, "type": "font", "path": path} for path in fonts]
    return make_payload(*(steps or STEPS), assets=assets, options={**PLAIN, **options})


def rendered(job: dict[str, Any], tmp_path: Path, name: str, **how: Any) -> Any:
    return render(
        job,
        asset_dir=tmp_path,
        out_dir=tmp_path / name,
        threads=1,
        on_progress=lambda _: None,
        **how,
    )


def poster(tmp_path: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(tmp_path / name / "poster.jpg").convert("RGB")).astype(int)


def reds(picture: np.ndarray) -> int:
    red, green, blue = np.moveaxis(picture, 2, 0)
    return int(((red > 200) & (green < 60) & (blue < 60)).sum())


def test_a_film_is_drawn_with_the_installed_fonts_in_the_child_too(
    directory: Path, tmp_path: Path
) -> None:
    result = render_in_child(
        payload(posterAtSec=1),
        asset_dir=tmp_path,
        out_dir=tmp_path / "child",
        limits=Limits(deadline_seconds=60, memory_mb=512),
        on_tick=lambda _: None,
        font_dirs=[directory],
    )
    assert not [warning for warning in result.warnings if "no font" in warning]
    assert reds(poster(tmp_path, "child")) > 1000, "the die, on whichever thread it is drawn"
    without = rendered(payload(posterAtSec=1), tmp_path, "without")
    assert any("no font has 字 (U+5B57), か (U+304B)" in one for one in without.warnings)
    assert reds(poster(tmp_path, "without")) == 0
    told = [
        json.loads((tmp_path / name / "manifest.json").read_text()).get("fonts", [])
        for name in ("child", "without")
    ]
    assert [[font["family"] for font in found] for found in told] == [["Colours", "Han"], []]
    assert {len(font["regular"]) for font in told[0]} == {64}


def test_a_step_is_made_anew_when_a_font_that_it_shows_has_changed(
    directory: Path, tmp_path: Path
) -> None:
    place = StepCachePlace(tmp_path / "cache", 64)

    def use(name: str, *dirs: Path) -> tuple[int, int]:
        result = rendered(payload(), tmp_path, name, step_cache=place, font_dirs=dirs)
        return result.cache_hits, result.cache_misses

    assert use("first") == (0, 2)
    assert use("again") == (2, 0)
    assert use("with fonts", directory) == (1, 1)
    assert use("with fonts again", directory) == (2, 0)
    (directory / "aaa.ttf").write_bytes((directory / "han.ttf").read_bytes())
    write_font(directory / "other.ttf", "x", family="Other")
    assert use("with others that it does not show", directory) == (2, 0)
    write_font(directory / "aaa.ttf", "字", family="A", advance=700)
    assert use("with another that it shows", directory) == (1, 1)


def test_a_brand_font_changes_every_step_that_shows_letters(tmp_path: Path) -> None:
    place = StepCachePlace(tmp_path / "cache", 64)
    write_font(tmp_path / "brand.ttf", LATIN, family="Brand")
    job = payload(*({**step, "body": "Take"} for step in STEPS), fonts=["brand.ttf"])
    assert rendered(job, tmp_path, "one", step_cache=place).cache_misses == 2
    write_font(tmp_path / "brand.ttf", LATIN, family="Brand", advance=500)
    again = rendered(job, tmp_path, "two", step_cache=place)
    assert (again.cache_hits, again.cache_misses) == (0, 2)
    manifest = json.loads((tmp_path / "two" / "manifest.json").read_text())
    assert manifest["inputs"][0]["type"] == "font"
    assert [font["family"] for font in manifest["fonts"]] == ["Brand"]


def test_a_broken_brand_font_fails_the_job_in_the_child(tmp_path: Path) -> None:
    (tmp_path / "brand.ttf").write_bytes(b"\0\1\0\0" + bytes(500))
    with pytest.raises(AssetFailed) as caught:
        render_in_child(
            payload(fonts=["brand.ttf"]),
            asset_dir=tmp_path,
            out_dir=tmp_path / "child",
            limits=Limits(deadline_seconds=60, memory_mb=512),
            on_tick=lambda _: None,
        )
    assert [(item.pointer, item.code) for item in caught.value.errors] == [
        ("/previewRequest/assets/0", "font-unusable")
    ]


def texts(planned: dict[str, Any]) -> list[dict[str, Any]]:
    return [text for step in planned["steps"] for text in step["texts"]]


def test_a_plan_measures_with_the_installed_fonts(directory: Path) -> None:
    job = payload()
    with_fonts, without = plan(job, font_dirs=[directory]), plan(job)
    assert not any("no font" in warning for warning in with_fonts["warnings"])
    assert any("no font has 字" in warning for warning in without["warnings"])
    assert texts(with_fonts)[0]["box"] != texts(without)[0]["box"]
    assert texts(with_fonts)[1] == texts(without)[1]


def test_a_plan_says_that_it_does_not_open_the_jobs_fonts(tmp_path: Path) -> None:
    (tmp_path / "brand.ttf").write_bytes(b"no font at all")
    planned = plan(payload(fonts=["brand.ttf"]), asset_dir=tmp_path)
    assert any("fonts of the job are not opened" in warning for warning in planned["warnings"])
    assert texts(planned) == texts(plan(payload()))


def test_plans_of_several_languages_at_once_do_not_take_each_others_fonts(tmp_path: Path) -> None:
    faces = [
        build("字", family=f"Han {region}", advance=advance)
        for region, advance in (("JP", 1000), ("SC", 1900))
    ]
    write_collection(tmp_path / "han.ttc", *faces)
    step = {"id": "one", "body": "字" * 6, "durationSec": 1.5}
    alone = {one: plan(payload(step, language=one), font_dirs=[tmp_path]) for one in ("ja", "zh")}
    assert texts(alone["ja"])[0]["box"] != texts(alone["zh"])[0]["box"]
    wrong: list[str] = []

    def work(language: str) -> None:
        for number in range(12):
            job = payload({**step, "title": str(number)}, step, language=language)
            found = texts(plan(job, font_dirs=[tmp_path]))[-1]
            if found["box"] != texts(alone[language])[0]["box"]:
                wrong.append(language)

    threads = [threading.Thread(target=work, args=(one,)) for one in ("ja", "zh", "ja", "zh")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
