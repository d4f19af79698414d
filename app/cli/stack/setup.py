"""Where a stack on this machine runs from, and with which settings."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from app.cli.output.console import short_path
from app.cli.output.exits import CommandFailed
from app.cli.remote.addresses import LOOPBACK, free_ports
from app.settings import Settings, load_settings


def checkout_root() -> Path | None:
    """Return the checkout of the repository that this package runs from, None if installed."""
    root = Path(__file__).parents[3]
    return root if (root / "gunicorn.conf.py").is_file() else None


def checkout() -> Path:
    """Return the checkout of the repository.

    Raises:
        CommandFailed: The package is installed without the repository, or the platform cannot
            run a stack.
    """
    require_posix()
    root = checkout_root()
    if root is None:
        raise CommandFailed(
            "this command runs from a checkout of the repository, and the package is installed "
            "without one; clone the repository and run it there"
        )
    return root


def require_posix() -> None:
    """Return on platforms where processes can be forked, limited and killed.

    Raises:
        CommandFailed: This is Windows.
    """
    if sys.platform == "win32":
        raise CommandFailed("this command needs Linux or macOS; on Windows, use WSL 2")


def checkout_settings() -> Settings:
    """Read the environment; in a checkout, data is below the checkout unless it says otherwise.

    A command then finds the same data from any directory.

    Raises:
        SettingsError: A variable has a bad value.
    """
    settings, root = load_settings(), checkout_root()
    if root is None or "data_dir" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"data_dir": root / "data"})


def stack_settings(
    settings: Settings, *, data_dir: Path, asset_root: Path, api_port: int, health_port: int
) -> tuple[Settings, bool]:
    """Return the settings of a stack, and whether it starts its own queue server.

    Args:
        settings: Those of the environment.
        data_dir: Directory for everything that the stack stores.
        asset_root: Directory with the assets of every project.
        api_port: Port of the API; 0 picks a free one.
        health_port: Port of the worker's probes; 0 picks a free one.
    """
    from app.cli.stack.valkey import choose_port

    embedded = "redis_url" not in settings.model_fields_set
    spare = free_ports(2)
    return settings.model_copy(
        update={
            "app_env": "development",
            "data_dir": data_dir,
            "preview_asset_root": asset_root,
            "health_host": LOOPBACK,
            "health_port": health_port or spare[0],
            "preview_api_host": LOOPBACK,
            "preview_api_port": api_port or spare[1],
            "log_format": "console" if settings.log_format == "auto" else settings.log_format,
            "redis_url": f"redis://{LOOPBACK}:{choose_port()}" if embedded else settings.redis_url,
        }
    ), embedded


def preview_command() -> str:
    """Return how a person here runs this command line in another terminal."""
    script = Path(sys.executable).with_name("preview")
    if shutil.which("preview") or not script.exists():
        return "preview"
    return short_path(script)


def provide_example_assets(root: Path, asset_root: Path) -> None:
    """Copy the assets of the example projects to ``asset_root``, keeping what is there.

    Authors then see where the pictures of a project belong: next to those of the examples.

    Raises:
        OSError: ``asset_root`` cannot be written.
    """
    examples = root / "examples" / "assets"
    for source in examples.rglob("*"):
        target = asset_root / source.relative_to(examples)
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
