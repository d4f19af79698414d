"""A machine that lacks a library, for processes that a test starts (Linux)."""

from __future__ import annotations

from pathlib import Path

#: Names by which Pillow looks for FriBidi.
_FRIBIDI = ("libfribidi.so", "libfribidi.so.0")


def without_fribidi(directory: Path) -> dict[str, str]:
    """Return the variables of a process that finds no FriBidi.

    The dynamic linker gives up on a name when the first file that it finds is not a library.
    """
    directory.mkdir()
    for name in _FRIBIDI:
        (directory / name).write_text("not a library")
    return {"LD_LIBRARY_PATH": str(directory)}
