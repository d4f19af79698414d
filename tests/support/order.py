"""The order in which the files of tests are handed to the workers of pytest-xdist."""

from __future__ import annotations

from typing import TypeVar

#: Directories ("" is ``tests`` itself) whose tests mostly wait, for processes that start and for
#: time that passes; those with the longest come first. Elsewhere the test itself computes.
WAITING = ("soak", "faults", "cli", "actors", "versions", "", "scripts", "deploy", "storage")

T = TypeVar("T")


def interleaved(files: dict[str, list[T]]) -> list[T]:
    """Return the tests of all files, such that those which wait mix with those which compute.

    A worker that waits leaves its processor to one that computes, and at the end, when there is
    nothing more to hand out, no long file is left.

    Args:
        files: The tests of each file, by its path from the root.
    """
    waiting = [file for file in files if _directory(file) in WAITING]
    waiting.sort(key=lambda file: WAITING.index(_directory(file)))
    computing = [file for file in files if _directory(file) not in WAITING]
    places = {
        file: number / len(kind)
        for kind in (waiting, computing)
        for number, file in enumerate(kind)
    }
    return [test for file in sorted(files, key=places.__getitem__) for test in files[file]]


def _directory(file: str) -> str:
    """Return the name of the directory below ``tests``, "" for none."""
    return "".join(file.split("/")[1:-1][:1])
