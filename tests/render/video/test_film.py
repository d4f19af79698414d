from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import AssetFailed
from app.render.child.supervisor import render_in_child
from app.render.engine import render
from app.render.model.limits import Limits, StepCachePlace
from app.render.picture.compose import Compositor, Run
from app.render.progress import Progress
from app.render.result import RenderResult
from app.render.video.segments import KEY_SECONDS
from app.temporary import PREFIX
from tests.render.films import make_payload, write_png

ASSETS = [{"id": "board", "type": "image", "path": "board.png"}]


def tutorial(**changes: Any) -> dict[str, Any]:
    """Four steps; ``changes`` override fields of the third."""
    steps: list[dict[str, Any]] = [
        {"id": "one", "title": "Set up", "body": "Put the board down.", "durationSec": 4},
        {
            "id": "two",
            "durationSec": 1,
            "visuals": [{"id": "v", "assetId": "board"}],
            "overlays": [{"text": "This side up", "startSec": 0.4}],
        },
        {"id": "three", "title": "Play", "body": "Take a card, then play one.", "durationSec": 3},
        {"id": "four", "text": "Count the points.", "durationSec": 0.5},
    ]
    steps[2] |= changes
    options = {"resolution": "160x90", "quality": "draft", "thumbnails": 8}
    return make_payload(*steps, assets=ASSETS, options=options)


Render = Callable[..., tuple[RenderResult, dict[str, str]]]


def steps_in(cache: Path) -> list[Path]:
    """Return the entries of steps; those of stills have a hyphen in their names."""
    return [path for path in cache.glob("*.step") if "-" not in path.name]


def stills_in(cache: Path) -> list[Path]:
    return list(cache.glob("*-*.step"))


@pytest.fixture
def rendered(tmp_path: Path) -> Render:
    """Render a payload; return the result, and the checksums of all files.

    Of the manifest, all counts but the cache's hits and misses.
    """
    write_png(tmp_path / "board.png")

    def run(
        payload: dict[str, Any], cache: Path | None, *, max_mb: int = 100, threads: int = 1
    ) -> tuple[RenderResult, dict[str, str]]:
        out = tmp_path / hashlib.sha256(repr((payload, cache, threads)).encode()).hexdigest()[:8]
        result = render(
            payload,
            asset_dir=tmp_path,
            out_dir=out,
            threads=threads,
            on_progress=lambda _: None,
            step_cache=None if cache is None else StepCachePlace(cache, max_mb),
        )
        manifest = json.loads((out / "manifest.json").read_bytes())
        told = None if cache is None else {"hits": result.cache_hits, "misses": result.cache_misses}
        assert manifest.pop("stepCache", None) == told
        files = {file.name: file.sha256 for file in result.files if file.kind != "manifest"}
        return result, files | {"manifest": json.dumps(manifest)}

    return run


def counts(result: RenderResult) -> tuple[int, int]:
    return result.cache_hits, result.cache_misses


def test_a_film_from_the_cache_is_byte_for_byte_the_one_without(
    rendered: Render, tmp_path: Path
) -> None:
    without, plain = rendered(tutorial(), None)
    cold, first = rendered(tutorial(), tmp_path / "cache")
    warm, second = rendered(tutorial(), tmp_path / "cache")
    assert (counts(without), counts(cold), counts(warm)) == ((0, 0), (0, 4), (4, 0))
    assert plain == first == second
    assert len(plain) >= 12


def test_a_film_is_the_same_whether_its_segments_are_made_side_by_side_or_not(
    rendered: Render, tmp_path: Path
) -> None:
    zoom = {"type": "zoom", "from": 1, "to": 1.2, "startSec": 0, "endSec": 11}
    board = {"id": "v", "assetId": "board", "motions": [zoom]}
    moving = tutorial(durationSec=11, visuals=[board], transition={"in": "crossfade"})
    moving["previewRequest"]["options"]["fps"] = 24
    assert math.ceil(11 / KEY_SECONDS) == 2, "the third step has two segments"
    _, alone = rendered(moving, None)
    _, abreast = rendered(moving, tmp_path / "cache", threads=3)
    again, kept = rendered(moving, tmp_path / "cache", threads=2)
    assert alone == abreast == kept
    assert counts(again) == (4, 0)


@pytest.mark.parametrize(("room_mb", "at_once"), [(None, 4), (500, 2), (5, 1)])
def test_no_more_segments_are_made_at_once_than_the_memory_limit_has_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room_mb: int | None, at_once: int
) -> None:
    room = None if room_mb is None else room_mb * 2**20
    monkeypatch.setattr("app.render.video.film.memory_left", lambda: room)
    most = 0

    def count(progress: Progress) -> None:
        nonlocal most
        if progress.phase == "rendering":
            running = sum(thread.name == "abreast" for thread in threading.enumerate())
            most = max(most, running)

    payload = make_payload(
        *({"text": f"Step {number}.", "durationSec": 1} for number in range(8)),
        options={"resolution": "160x90", "quality": "draft"},
    )
    render(payload, asset_dir=tmp_path, out_dir=tmp_path / "out", threads=4, on_progress=count)
    assert 1 <= most <= at_once


def test_stills_of_cached_steps_come_from_the_cache_or_are_drawn_and_kept(
    rendered: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    picture = Compositor.picture

    def counted(compositor: Compositor, run: Run) -> NDArray[np.uint8]:
        drawn.append(run.step_index)
        return picture(compositor, run)

    monkeypatch.setattr(Compositor, "picture", counted)
    cache = tmp_path / "cache"
    _, files = rendered(tutorial(), cache)
    report = json.loads(files["manifest"])["quality"]
    assert any("texts: " in check["measured"] for check in report["checks"])
    drawn.clear()
    assert rendered(tutorial(), cache)[1] == files
    assert drawn == []
    kept = stills_in(cache)
    for path in kept:
        path.unlink()
    assert rendered(tutorial(), cache)[1] == files
    assert len(drawn) == len(kept) > 0
    assert len(stills_in(cache)) == len(kept)
    drawn.clear()
    assert rendered(tutorial(), cache)[1] == files
    assert drawn == []


def test_a_film_uses_steps_and_stills_of_another_wherever_they_stand(
    rendered: Render, tmp_path: Path
) -> None:
    one, other = tutorial(), tutorial()
    steps = other["previewRequest"]["steps"]
    other["previewRequest"]["steps"] = [*steps[:0:-1], {"text": "First.", "durationSec": 2}]
    other["previewRequest"]["options"]["thumbnails"] = 3
    rendered(one, tmp_path / "cache")
    result, files = rendered(other, tmp_path / "cache")
    assert counts(result) == (3, 1)
    assert files == rendered(other, None)[1]


def test_an_edited_step_is_encoded_alone(rendered: Render, tmp_path: Path) -> None:
    edited = tutorial(body="Take two cards.", durationSec=2)
    rendered(tutorial(), tmp_path / "cache")
    result, files = rendered(edited, tmp_path / "cache")
    assert counts(result) == (3, 1)
    assert files == rendered(edited, None)[1]


def test_a_picture_that_changes_under_its_name_is_encoded_anew(
    rendered: Render, tmp_path: Path
) -> None:
    rendered(tutorial(), tmp_path / "cache")
    write_png(tmp_path / "board.png", colour="#20c040")
    result, files = rendered(tutorial(), tmp_path / "cache")
    assert counts(result) == (3, 1)
    assert files == rendered(tutorial(), None)[1]


def test_a_damaged_step_is_encoded_again_and_kept(rendered: Render, tmp_path: Path) -> None:
    _, files = rendered(tutorial(), tmp_path / "cache")
    entry = max(steps_in(tmp_path / "cache"), key=lambda path: path.stat().st_size)
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 0x10
    entry.write_bytes(content)
    again, repaired = rendered(tutorial(), tmp_path / "cache")
    assert (counts(again), repaired) == ((3, 1), files)
    assert counts(rendered(tutorial(), tmp_path / "cache")[0]) == (4, 0)


def test_a_cache_that_cannot_be_written_costs_no_film(rendered: Render, tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file")
    result, files = rendered(tutorial(), tmp_path / "cache")
    assert counts(result) == (0, 4)
    assert files == rendered(tutorial(), None)[1]


def test_the_cache_keeps_to_its_size(rendered: Render, tmp_path: Path) -> None:
    rendered(tutorial(), tmp_path / "cache", max_mb=0)
    assert list((tmp_path / "cache").glob("*.step")) == []


def test_a_step_that_cannot_be_drawn_leaves_no_film_and_no_entry(
    rendered: Render, tmp_path: Path
) -> None:
    (tmp_path / "board.png").write_bytes(b"no picture")
    with pytest.raises(AssetFailed):
        rendered(tutorial(), tmp_path / "cache")
    assert not list(tmp_path.rglob("*.mp4*"))
    assert not list((tmp_path / "cache").glob(f"{PREFIX}*"))
    assert len(steps_in(tmp_path / "cache")) <= 1


def test_a_child_process_uses_the_cache_and_tells_its_supervisor(tmp_path: Path) -> None:
    write_png(tmp_path / "board.png")
    found = [
        render_in_child(
            tutorial(),
            asset_dir=tmp_path,
            out_dir=tmp_path / name,
            limits=Limits(deadline_seconds=60, memory_mb=512),
            on_tick=lambda _: None,
            step_cache=StepCachePlace(tmp_path / "cache", 100),
        )
        for name in ("first", "second")
    ]
    assert [counts(result) for result in found] == [(0, 4), (4, 0)]
    assert found[0].files[:-1] == found[1].files[:-1]
