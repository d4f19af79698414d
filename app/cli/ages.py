"""Ages as people type them: ``90s``, ``15m``, ``6h``, ``2d``."""

from __future__ import annotations

import re

import typer

_AGE = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def age(text: str) -> float:
    """Parse an age to seconds.

    Raises:
        typer.BadParameter: It is not an age.
    """
    match = _AGE.fullmatch(text)
    if not match:
        raise typer.BadParameter(f"{text!r} is not an age; write 90s, 15m, 6h or 2d")
    return float(match[1]) * _SECONDS[match[2]]
