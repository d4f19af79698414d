from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from app.cli.main import cli
from app.cli.output import staging
from app.cli.output.exits import CommandFailed
from tests.cli.terminal import Terminal
from tests.render.films import make_payload, write_png
from tests.render.fontmaker import write_font
from tests.support.processes import ROOT

Preview = Callable[..., Result]
STEP = {"id": "a", "text": "Place the board.", "durationSec": 2}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No queue answers here."""
    return {
        "APP_ENV": "test",
        "REDIS_URL": "redis://127.0.0.1:1",
        "DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def preview(environment: dict[str, str]) -> Preview:
    def run(*arguments: str | Path, stdin: bytes | None = None, **changed: str) -> Result:
        return CliRunner().invoke(
            cli, ["render", *map(str, arguments)], input=stdin, env=environment | changed
        )

    return run


def write(path: Path, *steps: dict[str, Any], **request: Any) -> Path:
    path.write_text(json.dumps(make_payload(*steps, **request)))
    return path


def left_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != "data")


def test_a_preview_is_rendered_without_a_queue(preview: Preview, tmp_path: Path) -> None:
    write_png(tmp_path / "board.png")
    asset = {"id": "board", "type": "image", "path": "board.png", "alt": "The board"}
    step = {**STEP, "visuals": [{"assetId": "board"}]}
    payload = write(tmp_path / "job.json", step, assets=[asset])
    out = tmp_path / "made" / "film"
    result = preview(payload, "--out", out)
    assert result.exit_code == 0, result.output
    manifest = json.loads((out / "manifest.json").read_bytes())
    for file in manifest["files"]:
        content = (out / file["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{payload}: ")
    assert any(line.startswith("2.0 s of film in ") for line in lines)
    assert lines[-1].startswith("Play it: ")
    assert left_in(tmp_path / "made") == ["film"]
    assert out.stat().st_mode & 0o777 == (0o777 & ~_umask())


def test_a_still_is_one_picture_and_nothing_else(preview: Preview, tmp_path: Path) -> None:
    payload, out = write(tmp_path / "job.json", STEP), tmp_path / "stills" / "one.webp"
    drawn = preview(payload, "--step", "a", "--width", "160", "--out", out)
    assert drawn.exit_code == 0, drawn.output
    with Image.open(out) as image:
        assert (image.format, image.size) == ("WEBP", (160, 90))
    refused = preview(payload, "--at", "0.5", "--out", out)
    assert (refused.exit_code, "--force" in refused.stderr) == (3, True)
    again = preview(payload, "--at", "0.5", "--out", out, "--force", "--json")
    assert json.loads(again.stdout)["file"] == str(out)
    with Image.open(out) as image:
        assert image.size == (320, 180)
    assert (left_in(tmp_path), left_in(out.parent)) == (["job.json", "stills"], ["one.webp"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--at", "1", "--step", "a"], "give one of them"),
        (["--width", "100"], "--width is for stills"),
        (["--at", "1", "--width", "5"], "--width 5 is not between 16 and 3840 pixels"),
        (["--at", "1", "--out", "still.gif"], "must end in .jpg, .jpeg, .png, .webp"),
        (["--at", "7"], "the film lasts 2 s"),
        (["--step", "b"], "there is no step 'b'; the film has: a"),
    ],
)
def test_a_still_that_cannot_be_drawn_is_refused(
    preview: Preview, tmp_path: Path, options: list[str], words: str
) -> None:
    payload = write(tmp_path / "job.json", STEP)
    refused = preview(payload, "--out", tmp_path / "still.png", *options)
    assert (refused.exit_code, words in refused.stderr) == (2, True), refused.stderr
    assert left_in(tmp_path) == ["job.json"]


def test_installed_fonts_draw_what_others_lack(preview: Preview, tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    write_font(tmp_path / "fonts" / "han.ttf", "\u5b57")
    payload = write(tmp_path / "job.json", {**STEP, "text": "\u5b57\u304b"})
    fonts = str(tmp_path / "fonts")
    result = preview(payload, "--out", tmp_path / "film", PREVIEW_FONT_DIR=fonts)
    assert result.exit_code == 0, result.output
    assert "no font has \u304b (U+304B)" in result.stderr


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_earlier_preview_is_replaced_only_by_force(preview: Preview, tmp_path: Path) -> None:
    payload, out = write(tmp_path / "job.json", STEP), tmp_path / "film"
    assert preview(payload, "--out", out).exit_code == 0
    film = (out / "preview.mp4").read_bytes()
    refused = preview(payload, "--out", out)
    assert refused.exit_code == 3
    assert "--force" in refused.stderr
    (tmp_path / "preview-tmp-render-killed" / "preview").mkdir(parents=True)
    again = preview(payload, "--out", out, "--force", "--json")
    assert again.exit_code == 0
    document = json.loads(again.stdout)
    assert (document["directory"], document["frames"]) == (str(out), 60)
    assert (document["cache_hits"], document["cache_misses"]) == (1, 0)
    assert (out / "preview.mp4").read_bytes() == film
    assert left_in(tmp_path) == ["film", "job.json"], "not what a killed render left, either"


def test_nothing_but_a_preview_is_replaced(
    preview: Preview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload, out = write(tmp_path / "job.json", STEP), tmp_path / "film"
    assert preview(payload, "--out", out).exit_code == 0
    (out / "notes.txt").write_text("mine")
    refused = preview(payload, "--out", out, "--force")
    assert (refused.exit_code, "notes.txt" in refused.stderr) == (3, True)
    (out / "manifest.json").write_text("{}")
    assert preview(payload, "--out", out, "--force").exit_code == 3
    assert preview(payload, "--out", payload, "--force").exit_code == 3
    assert (out / "notes.txt").read_text() == "mine"
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for place in (".", ".."):
        assert "the current directory" in preview(payload, "--out", place, "--force").stderr
    beneath = preview(payload, "--out", payload / "film")
    assert (beneath.exit_code, beneath.stderr.count("\n")) == (3, 1)


def test_what_came_meanwhile_is_kept(tmp_path: Path) -> None:
    partial, place = tmp_path / "partial", tmp_path / "film"
    for directory in (partial, place):
        directory.mkdir()
    (place / "notes.txt").write_text("mine")
    with pytest.raises(CommandFailed):
        staging.publish(partial, place, force=False)
    assert left_in(tmp_path) == ["film", "partial"]
    with pytest.raises(CommandFailed, match="cannot write"):  # there is nothing to move
        staging.publish(partial, tmp_path / "none" / "film", force=False)
    assert (place / "notes.txt").exists()


def test_a_failed_move_leaves_the_earlier_preview(tmp_path: Path) -> None:
    place = tmp_path / "film"
    place.mkdir()
    with pytest.raises(CommandFailed, match="cannot write"):
        staging.publish(tmp_path / "never-made", place, force=False)
    assert left_in(tmp_path) == ["film"]


def test_a_bad_payload_is_2_with_every_violation(preview: Preview, tmp_path: Path) -> None:
    payload = write(tmp_path / "job.json", {**STEP, "visuals": [{"assetId": "none"}]}, extra=1)
    result = preview(payload, "--out", tmp_path / "film")
    assert result.exit_code == 2
    assert "/previewRequest/extra" in result.stderr
    dry = json.loads(payload.read_text()) | {"dryRun": True, "previewRequest": {"steps": []}}
    dry["previewRequest"] |= {"assets": [], "audio": {}, "title": "A film"}
    result = preview("-", "--out", tmp_path / "film", stdin=json.dumps(dry).encode())
    assert (result.exit_code, "dry run" in result.stderr) == (2, True)
    assert preview(tmp_path / "none.json", "--out", tmp_path / "film").exit_code == 3
    assert left_in(tmp_path) == ["job.json"]


def test_a_missing_asset_is_1_and_leaves_nothing(preview: Preview, tmp_path: Path) -> None:
    asset = {"id": "board", "type": "image", "path": "board.png", "alt": "The board"}
    step = {**STEP, "visuals": [{"assetId": "board"}]}
    payload = write(tmp_path / "job.json", step, assets=[asset])
    result = preview(payload, "--out", tmp_path / "film", "--assets", tmp_path)
    assert result.exit_code == 1
    assert "/previewRequest/assets/0/path" in result.stderr
    assert f"Assets are read from {tmp_path}; --assets names another directory" in result.stderr
    absent = preview(payload, "--out", tmp_path / "film", "--assets", tmp_path / "none")
    assert (absent.exit_code, "is not a directory" in absent.stderr) == (3, True)
    assert left_in(tmp_path) == ["job.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, even from root")
def test_a_directory_that_cannot_be_written_is_named_before_the_render(
    preview: Preview, tmp_path: Path
) -> None:
    payload = write(tmp_path / "job.json", STEP)
    result = preview(payload, "--out", "/proc/film")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("error: cannot write /proc/film: ")
    assert "--out" in result.stderr


def test_an_unknown_renderer_is_2(preview: Preview, tmp_path: Path) -> None:
    payload = write(tmp_path / "job.json", STEP)
    result = preview(payload, "--out", tmp_path / "film", PREVIEW_RENDERER="blender")
    assert result.exit_code == 2
    assert "PREVIEW_RENDERER='blender'" in result.stderr
    assert "storyboard" in result.stderr


def test_a_terminal_shows_a_bar(environment: dict[str, str], tmp_path: Path) -> None:
    payload = write(tmp_path / "job.json", STEP)
    terminal = Terminal("render", str(payload), "--out", str(tmp_path / "f"), env=environment)
    assert terminal.end() == 0
    assert "60/60 frames" in terminal.shown
    assert "━" in terminal.shown


def test_ctrl_c_leaves_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    zoom = {"type": "zoom", "startSec": 0, "endSec": 60}
    asset = {"id": "board", "type": "image", "path": "board.png", "alt": "The board"}
    write_png(tmp_path / "board.png", size=(640, 360))
    step = {**STEP, "durationSec": 60, "visuals": [{"assetId": "board", "motions": [zoom]}]}
    big = {"resolution": "3840x2160", "fps": 60}
    payload = write(tmp_path / "job.json", step, assets=[asset], options=big)
    terminal = Terminal("render", str(payload), "--out", str(tmp_path / "film"), env=environment)
    terminal.read_until("frames")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "interrupted" in terminal.shown
    assert left_in(tmp_path) == ["board.png", "job.json"]
