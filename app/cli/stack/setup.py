"""What ``dev`` and ``demo`` share: the settings of a stack on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from app.cli.output.exits import CommandFailed
from app.cli.remote.addresses import LOOPBACK, free_ports
from app.settings import Settings


def checkout() -> Path:
    """Return the root of the repository that this package runs from.

    Raises:
        CommandFailed: The package is installed without the repository, or the
            platform has none of what a stack needs.
    """
    require_posix()
    root = Path(__file__).parents[3]
    if not (root / "gunicorn.conf.py").is_file():
        raise CommandFailed("this needs a checkout of the repository, from which to run the parts")
    return root


def require_posix() -> None:
    """Return where processes can be forked, limited and killed.

    Raises:
        CommandFailed: The platform has none of that.
    """
    if sys.platform == "win32":
        raise CommandFailed("this needs Linux or macOS; on Windows, use WSL 2")


def stack_settings(
    settings: Settings, *, data_dir: Path, asset_root: Path, api_port: int, health_port: int
) -> tuple[Settings, bool]:
    """Return the settings of a stack, and whether it brings its own queue server.

    Args:
        settings: Those of the environment.
        data_dir: Where the stack keeps everything.
        asset_root: Directory of the projects' assets.
        api_port: Port of the API; 0 takes a free one.
        health_port: Port of the worker's probes; 0 takes a free one.
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


def assets_for(settings: Settings, root: Path) -> Path:
    """Return the asset root: as configured, else DATA_DIR's, else that of the examples."""
    examples = root / "examples" / "assets"
    if settings.preview_asset_root or settings.asset_root.is_dir() or not examples.is_dir():
        return settings.asset_root
    return examples
