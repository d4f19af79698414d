from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from app.render.inspect.files import file_checks
from app.render.inspect.preview import inspect, preview_checks
from app.render.inspect.rules import REPORT, TABLES
from app.render.progress import Progress
from tests.render.finished import (
    broken,
    edit_manifest,
    finish,
    outcomes,
    replace,
    with_index_at_the_end,
)

_DOUBTFUL = ("broken", "warning")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finish(tmp_path_factory.mktemp("made"))


@pytest.fixture
def film(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(made, tmp_path / "film")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with chapters."""
    return finish(tmp_path_factory.mktemp("long"), seconds=10)


def test_all_rules_hold_for_what_the_renderer_makes(long: Path, tmp_path: Path) -> None:
    made, seen = long, list[Progress]()
    checks = preview_checks(made, seen.append)
    doubtful = {check.rule: check.outcome for check in checks if check.outcome in _DOUBTFUL}
    assert doubtful == {"audio-bit-rate": "warning"}  # a pure tone needs few bits
    assert [c.table for c in checks] == sorted((c.table for c in checks), key=TABLES.index)
    assert {"loudness", "chapters", "cue-speed", "keyframes", "contrast-body"} <= {
        check.rule for check in checks if check.outcome == "ok"
    }
    assert (seen[-1].phase, seen[-1].frames_done) == ("measuring", seen[-1].frames_total)
    result = inspect(
        {}, asset_dir=made, out_dir=tmp_path / "out", threads=1, on_progress=seen.append
    )
    assert [file.name for file in result.files] == [REPORT]
    report = json.loads((tmp_path / "out" / REPORT).read_bytes())
    assert [item["rule"] for item in report] == [check.rule for check in checks]


def test_the_manifest_has_the_same_verdicts(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_bytes())
    recorded = {item["rule"]: item["outcome"] for item in manifest["quality"]["checks"]}
    inspected = outcomes(made)
    assert set(recorded) < set(inspected)
    assert {rule: inspected[rule] for rule in recorded} == recorded


def test_changed_lost_and_foreign_files_are_found(film: Path) -> None:
    with (film / "poster.jpg").open("ab") as file:
        file.write(b"more")
    (film / "captions.vtt").unlink()
    (film / "stranger.txt").write_text("?")
    assert broken(film) == {"files", "sha256-and-size", "unlisted-files", "readable"}


def test_an_index_at_the_end_is_found(film: Path) -> None:
    replace(film, "preview.mp4", with_index_at_the_end(film / "preview.mp4"))
    assert "container" in broken(film)


def test_a_truncated_film_is_found(film: Path) -> None:
    content = (film / "preview.mp4").read_bytes()
    replace(film, "preview.mp4", content[: len(content) * 2 // 3])
    assert broken(film) & {"frame-count", "decoded-frames", "readable"}
    replace(film, "preview.mp4", b"no film")
    (readable,) = (c for c in preview_checks(film, lambda _: None) if c.rule == "readable")
    assert readable.outcome == "broken"
    assert str(film) not in readable.measured
    assert readable.measured.count("preview.mp4: ") == 1


def test_a_film_that_is_not_what_the_manifest_promises_is_found(film: Path) -> None:
    edit_manifest(film, video__frames=269, video__width=322)
    assert broken(film) == {"frame-count", "decoded-frames", "size"}
    edit_manifest(film, video__frames=270, video__width=320, video__fps=25)
    assert {"frame-rate", "frame-count", "keyframes"} <= broken(film)


def test_a_keyframe_is_missed_where_a_step_begins(film: Path) -> None:
    timeline = json.loads((film / "manifest.json").read_bytes())["timeline"]
    timeline[1]["startSec"] += 0.1
    edit_manifest(film, timeline=timeline)
    assert "keyframes" in broken(film)


def test_a_wrong_loudness_is_found(film: Path) -> None:
    edit_manifest(film, sound__targetLufs=-24, sound__maxTruePeakDbtp=-3)
    found = outcomes(film)
    assert found["loudness"] == "broken"
    edit_manifest(film, sound__maxTruePeakDbtp=-30)
    assert outcomes(film)["true-peak"] == "broken"


def test_stills_of_a_wrong_size_or_black_are_found(film: Path) -> None:
    black = io.BytesIO()
    Image.new("RGB", (1280, 720)).save(black, "JPEG")
    replace(film, "poster.jpg", black.getvalue())
    replace(film, "contact-sheet.jpg", black.getvalue())
    replace(film, "thumbnails/01.jpg", b"no picture")
    assert broken(film) >= {"contact-sheet", "thumbnails"}
    huge = io.BytesIO()
    Image.new("RGB", (20_000, 10)).save(huge, "JPEG")
    replace(film, "contact-sheet.jpg", huge.getvalue())
    found = outcomes(film)
    assert {"contact-sheet", "thumbnails"} <= {k for k, v in found.items() if v == "broken"}
    assert found["poster-not-black"] == "warning"  # so is the whole film, by its contact sheet


def test_a_black_poster_of_a_film_that_is_not_is_broken(film: Path) -> None:
    black = io.BytesIO()
    Image.new("RGB", (1280, 720)).save(black, "JPEG")
    replace(film, "poster.jpg", black.getvalue())
    assert broken(film) == {"poster-not-black"}


def test_chapters_that_players_ignore_are_found(long: Path, tmp_path: Path) -> None:
    film = shutil.copytree(long, tmp_path / "film")
    document = json.loads((film / "chapters.json").read_bytes())
    document["chapters"][0]["startTime"] = 1
    for content in (json.dumps(document).encode(), b"[]"):
        replace(film, "chapters.json", content)
        manifest = json.loads((film / "manifest.json").read_bytes())
        checks = list(file_checks(film, manifest))
        assert [check.rule for check in checks if check.outcome == "broken"] == ["chapters"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b'{"video": {"fps": 0}}', b'{"files": [{"name": 1}]}', b"[" * 200_000,
        b'{"video": {"fps": 1, "width": 1e999}, "timeline": []}',
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_told(film: Path, content: bytes) -> None:
    (film / "manifest.json").write_bytes(content)
    assert outcomes(film) == {"readable": "broken"}


def test_a_name_that_leads_out_is_refused(film: Path) -> None:
    files = json.loads((film / "manifest.json").read_bytes())["files"]
    files[0]["name"] = "../preview.mp4"
    edit_manifest(film, files=files)
    assert outcomes(film) == {"readable": "broken"}


def test_values_that_cannot_be_are_told(film: Path) -> None:
    document = json.loads((film / "manifest.json").read_bytes())
    document["timeline"][1]["narration"]["startSec"] = 1e999
    document["quality"]["checks"].append({"rule": "x", "table": "y", "outcome": "z"})
    edit_manifest(film, **document)
    poster = bytearray((film / "poster.jpg").read_bytes())
    size = poster.index(b"\xff\xc0") + 5  # of the frame: height, width
    poster[size : size + 4] = b"\xff" * 4
    replace(film, "poster.jpg", bytes(poster))
    assert broken(film) == {"readable", "poster", "poster-not-black"}


def test_a_preview_without_a_film_is_told(film: Path) -> None:
    files = json.loads((film / "manifest.json").read_bytes())["files"]
    edit_manifest(film, files=[entry for entry in files if entry["kind"] != "video"])
    assert {"readable", "files"} <= broken(film)


def test_a_silent_film_without_extras_breaks_nothing(tmp_path: Path) -> None:
    quiet = finish(tmp_path, spoken=False, thumbnails=0, includeCaptions=False)
    found = outcomes(quiet)
    assert set(found.values()) == {"ok", "not applicable"}
    for rule in ("loudness", "true-peak", "audio-bit-rate", "thumbnails", "cue-speed"):
        assert found[rule] == "not applicable"


def test_a_webm_holds_its_own_rules(tmp_path: Path) -> None:
    found = outcomes(finish(tmp_path, format="webm"))
    assert {rule for rule, outcome in found.items() if outcome == "broken"} == set()
    assert found["container"] == found["video-codec"] == found["audio-codec"] == "ok"
