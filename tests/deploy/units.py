"""Reads systemd's unit files and environment files."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

#: The units of this product.
SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
NAMES = ("preview-worker", "preview-api", "preview-scheduler")


def unit(name: str) -> dict[str, list[str]]:
    """Return the values of each option of a unit, whatever its section."""
    options: dict[str, list[str]] = defaultdict(list)
    for line in (SYSTEMD / f"{name}.service").read_text().splitlines():
        if "=" in line and not line.startswith(("#", ";")):
            option, _, value = line.partition("=")
            options[option].append(value)
    return options


def only(options: dict[str, list[str]], name: str) -> str:
    """Return the value of an option that must stand once."""
    (value,) = options[name]
    return value


def environment_of(options: dict[str, list[str]]) -> dict[str, str]:
    """Return the variables that a unit sets."""
    pairs = (pair.partition("=") for line in options["Environment"] for pair in line.split())
    return {name: value for name, _, value in pairs}


def environment_file(path: Path) -> dict[str, str]:
    """Return the variables of an environment file."""
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in (line.partition("=") for line in lines)}
