"""Programs that play a finished video."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from app.cli.output.console import short_path

#: Video players, the best first, with the options that they need.
PLAYERS = (
    ("ffplay", "-autoexit"),
    ("mpv",),
    ("vlc",),
    ("open",),
    ("xdg-open",),
)


def play_command(video: Path) -> str:
    """Return a command that plays ``video`` in an installed player, or its URL if there is none."""
    for name, *options in PLAYERS:
        if shutil.which(name):
            return shlex.join([name, *options, short_path(video)])
    return video.as_uri()
