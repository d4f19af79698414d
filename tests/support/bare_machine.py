"""A machine that lacks every library and program but Python's own (Linux)."""

from __future__ import annotations

from pathlib import Path

#: Libraries that wheels of this field look for on the system.
_LIBRARIES = ("fribidi", "raqm", "harfbuzz", "freetype", "fontconfig", "avcodec", "espeak-ng")


def bare_machine(directory: Path) -> dict[str, str]:
    """Return the variables of a process that finds none of these libraries, nor any program.

    The dynamic linker gives up on a name when the first file that it finds is not a library.
    """
    directory.mkdir()
    for name in _LIBRARIES:
        for ending in ("so", "so.0", "so.1", "so.6"):
            (directory / f"lib{name}.{ending}").write_text("not a library")
    return {
        "LD_LIBRARY_PATH": str(directory),
        "PATH": str(directory),
        "FONTCONFIG_FILE": "/dev/null",
    }
