"""The still that ``preview render --at`` or ``--step`` draws: what is asked for, and its file."""

from __future__ import annotations

import tempfile
from pathlib import Path

from app.cli.output.exits import CommandFailed, ExitCode
from app.stillrequest import FORMATS, MAX_WIDTH, MIN_WIDTH, StillRequest


def still_request(
    out: Path, *, at: float | None, step: str | None, width: int | None
) -> StillRequest | None:
    """Return the still that the options ask for; None if they ask for a preview.

    Raises:
        CommandFailed: The options contradict each other, or ``out`` has no suffix of a picture.
    """
    if at is None and step is None:
        if width is not None:
            raise _refusal("--width is for stills; give --at or --step too")
        return None
    if at is not None and step is not None:
        raise _refusal("--at and --step both choose the moment; give one of them")
    if width is not None and not MIN_WIDTH <= width <= MAX_WIDTH:
        raise _refusal(f"--width {width} is not between {MIN_WIDTH} and {MAX_WIDTH} pixels")
    suffix = out.suffix.lower().removeprefix(".")
    names = {one: name for name, (_, _, suffixes) in FORMATS.items() for one in suffixes}
    if suffix not in names:
        known = ", ".join(f".{one}" for one in names)
        raise _refusal(f"--out {out} must end in {known} for a still")
    return StillRequest(at=at, step=step, width=width, format=names[suffix])


def still_place(out: Path, *, force: bool) -> Path:
    """Return the absolute path of a still's file, and make its directory.

    Raises:
        CommandFailed: Something is in the way, or the directory cannot be written.
    """
    place = out.resolve()
    if place.is_dir():
        raise CommandFailed(f"{out} is a directory; --out names a file", ExitCode.UNREADABLE)
    if place.exists() and not force:
        raise CommandFailed(f"{out} exists; --force replaces it", ExitCode.UNREADABLE)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place.parent):
            pass  # it is drawn beside its place, so that it appears at once
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandFailed(f"cannot write {out}: {reason}", ExitCode.UNREADABLE) from error
    return place


def _refusal(message: str) -> CommandFailed:
    return CommandFailed(message, ExitCode.INVALID)
