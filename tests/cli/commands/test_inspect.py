from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.main import cli
from tests.cli.terminal import Terminal
from tests.render.finished import edit_manifest, finish
from tests.support.processes import ROOT

Inspect = Callable[..., Result]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"APP_ENV": "test", "DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def inspect(environment: dict[str, str]) -> Inspect:
    def run(*arguments: str | Path, **changed: str) -> Result:
        command = ["inspect", *map(str, arguments)]
        return CliRunner().invoke(cli, command, env=environment | changed)

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finish(tmp_path_factory.mktemp("made"))


@pytest.fixture
def film(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(made, tmp_path / "film")


def test_a_good_preview_is_0_with_a_row_for_each_rule(inspect: Inspect, film: Path) -> None:
    result = inspect(film)
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.stdout.splitlines() if "\t" in line]
    assert rows[0] == ["table", "rule", "limit", "measured", "outcome"]
    assert {row[0] for row in rows[1:]} == {"Picture", "Captions", "Sound", "Files"}
    (count,) = (row for row in rows if row[1] == "frame-count")
    assert (count[0], count[3:]) == ("Picture", ["270 of 270", "ok"])
    assert result.stdout.splitlines()[-1].startswith(f"{film}: all rules hold")


def test_a_broken_rule_is_1(inspect: Inspect, film: Path) -> None:
    (film / "stranger.txt").write_text("?")
    edit_manifest(film, video__frames=271)
    result = inspect(film, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["ok"]) == (1, False)
    broken = {item["rule"] for item in document["checks"] if item["outcome"] == "broken"}
    assert broken == {"frame-count", "decoded-frames", "unlisted-files"}
    assert "3 of " in result.stderr
    lines = inspect(film, "--failures").stdout.splitlines()
    assert {line.split("\t")[1] for line in lines if line.endswith("\tbroken")} == broken
    assert not any(line.endswith("\tok") for line in lines)


def test_what_is_no_preview_is_3(inspect: Inspect, tmp_path: Path) -> None:
    result = inspect(tmp_path)
    assert result.exit_code == 3
    assert "it has no manifest.json" in result.stderr


def test_a_hostile_preview_ends_at_the_deadline(inspect: Inspect, film: Path) -> None:
    endless(film / "preview.mp4")
    result = inspect(film, PREVIEW_JOB_TIMEOUT_SECONDS="1")
    assert (result.exit_code, result.stderr) == (1, "error: the render took longer than 1 s\n")


def endless(path: Path) -> None:
    """Put a pipe in the place of a file, from which nothing ever comes."""
    path.unlink()
    os.mkfifo(path)


def test_a_terminal_shows_tables_and_ctrl_c_ends(environment: dict[str, str], film: Path) -> None:
    terminal = Terminal("inspect", str(film), env=environment)
    terminal.read_until("all rules hold")
    assert terminal.end() == 0
    assert "┃" in terminal.shown
    assert "frame-count" in terminal.shown
    endless(film / "preview.mp4")
    stuck = Terminal("inspect", str(film), env=environment)
    stuck.read_until("measuring")
    stuck.process.send_signal(signal.SIGINT)
    assert stuck.end() == 130
    assert "interrupted" in stuck.shown
