"""Payloads from files and standard input, read within the limit."""

from __future__ import annotations

import sys
from pathlib import Path

from app.cli.output.exits import CommandFailed, ExitCode
from app.contract import MAX_PAYLOAD_BYTES, parse_json
from app.errors import PayloadTooLarge

#: Name that stands for standard input.
STDIN = "-"


def label(source: str) -> str:
    """Return what a source is called in messages."""
    return "standard input" if source == STDIN else source


def read_payload(source: str) -> object:
    """Return the JSON value of a file, or of standard input for ``-``.

    Never reads more than one byte beyond the limit, whatever the file is.

    Raises:
        CommandFailed: The file cannot be read.
        PayloadTooLarge: It is longer than ``MAX_PAYLOAD_BYTES``.
        InvalidJson: It is not JSON.
    """
    try:
        body = _read(source)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandFailed(
            f"cannot read {label(source)}: {reason}", ExitCode.UNREADABLE
        ) from error
    if len(body) > MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge(
            f"{label(source)} is longer than {MAX_PAYLOAD_BYTES} bytes. "
            "Give pictures and sound as assets, not inside the payload."
        )
    return parse_json(body)


def _read(source: str) -> bytes:
    if source != STDIN:
        with Path(source).open("rb") as file:
            return file.read(MAX_PAYLOAD_BYTES + 1)
    if sys.stdin is None:
        raise OSError("it is closed")
    return sys.stdin.buffer.read(MAX_PAYLOAD_BYTES + 1)
