"""What is measured of both builds, and how often."""

from __future__ import annotations

import copy
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.films.builds import Build

#: Figures of one measurement by name: wall seconds, processor seconds, MiB.
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Clock:
    """Says whether there is time for another round.

    Attributes:
        rounds: Number of rounds that a measurement has if there is time.
        seconds: Time for all measurements. Each has one round in any case.
        began: Value of the monotonic clock at the start.
    """

    rounds: int
    seconds: float
    began: float = field(default_factory=time.monotonic)

    def turns(self) -> Iterator[int]:
        """Yield the numbers of the rounds, until the time is used up."""
        for number in range(self.rounds):
            if number and time.monotonic() - self.began > self.seconds:
                return
            yield number


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table: some work, done by each build several times.

    Attributes:
        work: What was done.
        unit: Unit of wall and processor time.
        figures: Of each build by its name, one of each round.
    """

    work: str
    unit: str
    figures: dict[str, list[Figures]] = field(default_factory=dict)

    def add(self, build: str, found: Figures) -> None:
        """Add what a build measured in one round."""
        self.figures.setdefault(build, []).append(found)

    def median(self, build: str, name: str) -> float:
        """Return the median of one figure of a build."""
        return statistics.median(found[name] for found in self.figures[build])

    def row(self, builds: Sequence[str]) -> str:
        """Return the line of the table: medians of each build, and how many times as fast.

        ``builds`` has this build first. Without a second one there is no ratio.
        """
        cells = [self.work]
        places = 2 if self.unit == "s" else 1
        for build in builds:
            wall, processor = (self.median(build, name) for name in ("wall", "processor"))
            cells.append(f"{wall:.{places}f} {self.unit} ({processor:.{places}f})")
        ratios = ["–"]
        if len(builds) > 1:
            now, before = builds
            ratios = [
                f"{self.median(before, name) / self.median(now, name):.1f}"
                for name in ("wall", "processor")
            ]
        cells.append(" (".join(ratios) + (")" if len(ratios) > 1 else ""))
        if self.unit == "s":
            cells.append(" / ".join(f"{self.median(build, 'peak'):.0f}" for build in builds))
        else:
            cells.append("–")
        cells.append(str(len(self.figures[builds[0]])))
        return f"| {' | '.join(cells)} |"


def head(builds: Sequence[str]) -> str:
    """Return the head of the table."""
    columns = ["work", *builds, "times as fast", "peak MiB", "n"]
    return f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}"


def films(
    name: str,
    payload: dict[str, Any],
    assets: Path,
    *,
    builds: Sequence[Build],
    clock: Clock,
    scratch: Path,
) -> tuple[Measured, Measured]:
    """Return a film's first render, with an empty step cache, and that of one edited step."""
    first, edit = Measured(f"{name}, first render", "s"), Measured("… one step edited", "s")
    for turn in clock.turns():
        edited = with_edit(payload, turn)
        for build in _in_turn(builds, turn):
            place = Path(tempfile.mkdtemp(dir=scratch))
            for measured, wanted in ((first, payload), (edit, edited)):
                out, cache = place / f"out-{wanted['jobId']}", place / "cache"
                more = {"assets": str(assets), "cache": str(cache)}
                found = build.ask("render", wanted, out, **more)
                measured.add(build.name, {**found, "wall": found["seconds"]})
            shutil.rmtree(place)
    return first, edit


def plans(
    payload: dict[str, Any], *, builds: Sequence[Build], clock: Clock, scratch: Path
) -> tuple[Measured, Measured]:
    """Return the first plan of a payload in a child of the fork server, and the ones after it."""
    cold, warm = Measured("plan of 11 steps, cold", "ms"), Measured("… warm", "ms")
    for turn in clock.turns():
        for build in _in_turn(builds, turn):
            out = Path(tempfile.mkdtemp(dir=scratch))
            found = build.ask("plan", payload, out, assets=str(scratch))
            for measured, name in ((cold, "cold"), (warm, "warm")):
                figures = {"wall": found[name], "processor": found[f"{name} processor"]}
                measured.add(build.name, figures)
    return cold, warm


def _in_turn(builds: Sequence[Build], turn: int) -> Sequence[Build]:
    """Return the builds in an order that changes from round to round."""
    return builds if turn % 2 == 0 else builds[::-1]


def with_edit(payload: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the payload with one word more in a step of its middle."""
    edited = copy.deepcopy(payload)
    edited["jobId"] += f"-edit-{number}"
    steps = edited["previewRequest"]["steps"]
    step = steps[len(steps) // 2]
    if step.get("overlays"):
        step["overlays"][-1]["text"] += f" Edit {number}"
    else:
        step["title"] = step.get("title", "") + f" {number}"
    return edited
