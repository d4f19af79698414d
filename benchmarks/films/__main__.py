"""Renders the same films with two builds and in other ways: ``python -m benchmarks.films``.

It prints Markdown, for docs/benchmarks.md. Its parts can be chosen with ``--only``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app import __version__
from benchmarks import stack, stills
from benchmarks.films import others
from benchmarks.films.builds import BEFORE, Build, Unavailable, older, running
from benchmarks.films.floor import floor
from benchmarks.films.measures import Clock, Measured, films, head, plans
from benchmarks.films.scenes import storyboard_of
from benchmarks.films.tutorial import moving_tutorial
from benchmarks.stack import ROOT

#: Thirteen steps of text, 105 s.
_TEXTS: Final = Path(__file__).with_name("lantern-market.json")
#: The repository's own tutorial.
_EXAMPLE: Final = ROOT / "examples" / "tutorial.json"
#: A film that builds render before anything is measured, in seconds.
_WARM_UP_SECONDS: Final = 1
_HERE: Final = "this build"


@dataclass(frozen=True, slots=True)
class Run:
    """What the parts share.

    Attributes:
        options: Of the command line.
        builds: This build, then the older one if it is measured.
        clock: Says whether there is time.
        scratch: For films and caches.
    """

    options: argparse.Namespace
    builds: list[Build]
    clock: Clock
    scratch: Path

    @property
    def names(self) -> list[str]:
        """Names of the builds, as in the table."""
        return [build.name for build in self.builds]

    def film(self, name: str, payload: dict[str, Any], assets: Path) -> Measured:
        """Measure and print a film; return its first renders."""
        first, edit = films(
            name, payload, assets, builds=self.builds, clock=self.clock, scratch=self.scratch
        )
        for measured in (first, edit):
            self.say(measured.row(self.names))
        return first

    def others(self, name: str, payload: dict[str, Any], assets: Path, first: Measured) -> None:
        """Measure the film's first steps in other ways and print them."""
        ways = [way for way in self.options.ways.split(",") if way]
        if not ways:
            return
        short = others.shortened(payload, self.options.seconds, assets)
        found = others.seconds_per_second(
            ways, short, assets, clock=self.clock, scratch=self.scratch
        )
        ours = first.median(_HERE, "wall") / first.median(_HERE, "film")
        columns = "film | way | for a second of film | this build is … times as fast | n"
        self.say(f"\n| {columns} |\n{'| --- ' * 5}|")
        self.say(f"| {name} | this build | {ours:.4f} s | 1 | {len(first.figures[_HERE])} |")
        for way, seconds in found.items():
            self.say(others.row(name, way, seconds, ours))
        self.say("")

    @staticmethod
    def say(line: str) -> None:
        """Print a line at once."""
        print(line, flush=True)


def _payload(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(path.read_text())
    wanted = {"resolution": options.resolution, "fps": 30, "format": "mp4"}
    payload["previewRequest"].setdefault("options", {}).update(wanted)
    return payload


def texts(run: Run) -> None:
    """Thirteen steps of text."""
    payload = _payload(_TEXTS, run.options)
    run.say(head(run.names))
    first = run.film("text, 13 steps", payload, run.scratch)
    run.others("text, 13 steps", payload, run.scratch, first)


def tutorial(run: Run) -> None:
    """The example tutorial."""
    payload, assets = _payload(_EXAMPLE, run.options), _EXAMPLE.parent / "assets" / "demo"
    run.say(head(run.names))
    first = run.film("example tutorial", payload, assets)
    run.others("example tutorial", payload, assets, first)


def moving(run: Run) -> None:
    """Pictures that move all the time, and x264 alone for the same frames."""
    pictures = run.scratch / "pictures"
    pictures.mkdir()
    payload = moving_tutorial(pictures, resolution=run.options.resolution)
    run.say(head(run.names))
    first = run.film("pictures that move", payload, pictures)
    alone = statistics.median(floor(storyboard_of(payload, pictures)) for _ in run.clock.turns())
    told = ", ".join(
        f"{name} {first.median(name, 'processor') / alone:.2f} times" for name in run.names
    )
    run.say(f"\nx264 alone: {alone:.1f} s of processor time; {told} that.\n")


def plan(run: Run) -> None:
    """Plans of eleven steps."""
    run.say(head(run.names))
    payload = _payload(_TEXTS, run.options)
    del payload["previewRequest"]["steps"][11:]
    for measured in plans(payload, builds=run.builds, clock=run.clock, scratch=run.scratch):
        run.say(measured.row(run.names))


def still(run: Run) -> None:
    """Stills of 1280 × 720 pixels through the API, from an idle worker."""
    with stills.system() as (settings, port):
        for name, film in (("texts", stills.texts()), ("pictures", stills.pictures(settings))):
            found = stills.times(port, film)
            p50, p95 = (stack.percentile(found, share) for share in (0.5, 0.95))
            run.say(f"still of {name}, 720p: p50 {p50:.0f} ms, p95 {p95:.0f} ms, n {len(found)}")


PARTS: Final[dict[str, Callable[[Run], None]]] = {
    "texts": texts, "tutorial": tutorial, "moving": moving, "plan": plan, "still": still,
}  # fmt: skip


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="make bench-render ARGS=…", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    ways = ",".join(others.WAYS)
    parser.add_argument("--ways", default=ways, help="other ways, separated by commas")
    parser.add_argument("--seconds", type=float, default=6, help="of film for the other ways")
    parser.add_argument("--resolution", default="1920x1080")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=16, help="after which rounds are left out")
    parser.add_argument("--alone", action="store_true", help=f"without build {BEFORE}")
    options = parser.parse_args()
    for wanted, known in ((options.only, PARTS), (options.ways, others.WAYS)):
        unknown = [name for name in wanted.split(",") if name and name not in known]
        if unknown:
            parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(known)}")
    return options


def main() -> int:
    """Measure the parts; 1 if one fails."""
    options = arguments()
    try:
        others.prepare([way for way in options.ways.split(",") if way])
        checkouts = {_HERE: ROOT} if options.alone else {_HERE: ROOT, f"build {BEFORE}": older()}
    except (Unavailable, subprocess.SubprocessError, OSError) as error:
        sys.exit(f"benchmark: {error}")
    Run.say(
        f"Mobius Preview Worker {__version__}, {platform.system()} {platform.release()}, "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{options.resolution} at 30 fps, load {os.getloadavg()[0]:.1f}: "
        f"`python -m benchmarks.films {shlex.join(sys.argv[1:])}`. Medians; processor time in "
        "brackets.\n"
    )
    failed = False
    with tempfile.TemporaryDirectory(prefix="preview-films-") as directory, ExitStack() as stacked:
        builds = [stacked.enter_context(running(*item)) for item in checkouts.items()]
        clock = Clock(options.rounds, 60 * options.minutes)
        run = Run(options, builds, clock, Path(directory))
        _warm_up(run)
        for name in options.only.split(","):
            try:
                PARTS[name](run)
            except (subprocess.SubprocessError, OSError) as error:
                failed = True
                Run.say(f"{name} failed: {_reason(error)}")
    Run.say(f"\nLoad at the end: {os.getloadavg()[0]:.1f}.")
    return int(failed)


def _warm_up(run: Run) -> None:
    """Have each build render a short film, as a worker that is up has done."""
    payload = _payload(_TEXTS, run.options)
    step = {**payload["previewRequest"]["steps"][0], "durationSec": _WARM_UP_SECONDS}
    payload["previewRequest"]["steps"] = [step]
    for number, build in enumerate(run.builds):
        build.ask("render", payload, run.scratch / f"warm-{number}", assets=str(run.scratch))


def _reason(error: Exception) -> str:
    told = str(getattr(error, "stderr", None) or error).strip()
    return told.splitlines()[-1][:200] if told else type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
