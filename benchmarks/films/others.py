"""Other ways to render the same scenes: plain ffmpeg, MoviePy 2 and Remotion 4."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.films.builds import BENCH, Unavailable
from benchmarks.films.measures import Clock
from benchmarks.films.scenes import scenes_of, storyboard_of
from benchmarks.stack import ROOT

WAYS: Final = ("ffmpeg", "moviepy", "remotion")
#: Longest time for one way to render one film.
_MOST_SECONDS: Final = 420.0
_HERE: Final = Path(__file__).parent
_MOVIEPY: Final = BENCH / "moviepy"
_REMOTION: Final = BENCH / "remotion"
#: Names of Debian's Chromium, of Chrome, and of other distributions' Chromium.
_BROWSERS: Final = ("chromium", "google-chrome", "chromium-browser")


def prepare(ways: Sequence[str]) -> None:
    """Make what the ways need in ``.bench/``.

    Raises:
        Unavailable: A program is missing.
        subprocess.CalledProcessError: Packages cannot be installed.
    """
    needed = {"ffmpeg": ["ffmpeg"], "remotion": ["node", "npm"]}
    missing = [name for way in ways for name in needed.get(way, []) if not shutil.which(name)]
    if "remotion" in ways and not _browser():
        missing.append("chromium")
    if missing:
        raise Unavailable(f"install what is missing: apt-get install {' '.join(missing)}")
    if "moviepy" in ways and not (_MOVIEPY / "bin" / "python").exists():
        maker, pins = ROOT / "scripts" / "make_env.py", _HERE / "requirements" / "moviepy.txt"
        subprocess.run([sys.executable, maker, _MOVIEPY, pins], check=True)
    if "remotion" in ways:
        _install_remotion()


def _install_remotion() -> None:
    # Node looks for packages beside a script, so the scripts go to them, every time.
    shutil.copytree(_HERE / "remotion", _REMOTION, dirs_exist_ok=True)
    lock, ready = _REMOTION / "package-lock.json", _REMOTION / ".ready"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if ready.exists() and ready.read_text() == digest:
        return
    # Not `npm ci`, which fails where a registry lacks packages of other platforms.
    options = ("--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--silent")
    subprocess.run(["npm", "install", "--prefix", _REMOTION, *options], check=True)
    ready.write_text(digest)


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def shortened(payload: dict[str, Any], seconds: float, assets: Path) -> dict[str, Any]:
    """Return the first steps of a film, as many as last for ``seconds``, and at least one."""
    board, frames = storyboard_of(payload, assets), 0
    kept = set()
    for step in board.steps:
        kept.add(step.id)
        frames += step.frames
        if frames >= seconds * board.fps:
            break
    short = copy.deepcopy(payload)
    request = short["previewRequest"]
    request["steps"] = [step for step in request["steps"] if step["id"] in kept] or request[
        "steps"
    ][:1]
    return short


def seconds_per_second(
    ways: Sequence[str], payload: dict[str, Any], assets: Path, *, clock: Clock, scratch: Path
) -> dict[str, list[float]]:
    """Return how long each way takes for a second of the film, of each round.

    Raises:
        subprocess.SubprocessError: One failed or takes too long.
    """
    film = scenes_of(storyboard_of(payload, assets))
    length = sum(scene["seconds"] for scene in film["scenes"])
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in clock.turns():
        for way in ways:
            found[way].append(_seconds(way, film, scratch) / length)
    return found


def _seconds(way: str, film: dict[str, Any], scratch: Path) -> float:
    place = Path(tempfile.mkdtemp(dir=scratch))
    order, out = place / "scenes.json", place / "film.mp4"
    order.write_text(json.dumps(film))
    programs: dict[str, list[str]] = {
        "ffmpeg": [sys.executable, str(_HERE / "ffmpeg_way.py")],
        "moviepy": [str(_MOVIEPY / "bin" / "python"), str(_HERE / "moviepy_way.py")],
        "remotion": ["node", str(_REMOTION / "render.mjs")],
    }
    browser = [_browser() or ""] if way == "remotion" else []
    done = subprocess.run(
        [*programs[way], str(order), str(out), *browser],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    shutil.rmtree(place)
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def row(film: str, way: str, found: Sequence[float], ours: float) -> str:
    """Return a line of the table; ``ours`` is this build's seconds for a second of the film."""
    median = statistics.median(found)
    return f"| {film} | {way} | {median:.3f} s | {median / ours:.0f} | {len(found)} |"
