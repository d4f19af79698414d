"""Renders the same films in several ways and prints a table: ``python -m benchmarks.films``."""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from app import __version__
from benchmarks.films.scenes import scenes_of, storyboard_of
from benchmarks.films.tutorial import moving_tutorial
from benchmarks.stack import ROOT

HERE = Path(__file__).parent
#: MoviePy's environment; ``make clean`` removes it.
MOVIEPY = ROOT / ".bench" / "moviepy"
#: The repository's own tutorial.
EXAMPLE = ROOT / "examples" / "tutorial.json"
#: Longest time for one way to render one film.
MOST_SECONDS = 420.0
#: Segments that we make side by side: as many cores as the others take.
THREADS = 2

Row = tuple[str, str, float, float, float, int]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.films", description=__doc__)
    parser.add_argument("payloads", nargs="*", type=Path, help="more films; pictures beside them")
    parser.add_argument("--resolution", default="1920x1080")
    parser.add_argument("--ways", default="ours,ffmpeg,moviepy", help="with commas")
    return parser.parse_args()


def main() -> int:
    """Render everything and print the table; 1 when something failed."""
    options = arguments()
    ways = options.ways.split(",")
    if "ffmpeg" in ways and not shutil.which("ffmpeg"):
        sys.exit("benchmark: install what is missing: apt-get install ffmpeg")
    if "moviepy" in ways and not (MOVIEPY / "bin" / "python").exists():
        maker, pins = ROOT / "scripts" / "make_env.py", HERE / "requirements" / "moviepy.txt"
        subprocess.run([sys.executable, str(maker), str(MOVIEPY), str(pins)], check=True)
    failed = False
    print(
        f"Mobius Preview Worker {__version__}, {platform.system()} {platform.release()}, "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{options.resolution} at 30 fps, load {os.getloadavg()[0]:.1f}.\n"
    )
    print("| film | way | seconds | × real time | peak MiB | MB |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="preview-films-") as directory:
        for name, payload, assets in _films(options, Path(directory)):
            for way in _ways(ways):
                try:
                    _print(name, way, _measure(way, payload, assets, Path(directory)))
                except (subprocess.SubprocessError, OSError) as error:
                    failed = True
                    print(f"| {name} | {way} | failed: {_reason(error)} | | | |", flush=True)
    return int(failed)


def _ways(wanted: list[str]) -> list[str]:
    ours = ["ours", "ours, one step edited", "floor: x264 alone"]
    return [*(ours if "ours" in wanted else []), *(way for way in wanted if way != "ours")]


def _reason(error: Exception) -> str:
    tail = getattr(error, "stderr", None) or str(error)
    return str(tail).strip().splitlines()[-1][:200]


def _films(options: argparse.Namespace, scratch: Path) -> list[tuple[str, dict[str, Any], Path]]:
    films = []
    for path in (*options.payloads, EXAMPLE):
        payload = json.loads(path.read_text())
        payload["previewRequest"].setdefault("options", {}).update(
            resolution=options.resolution, fps=30, format="mp4"
        )
        beside = path.parent / "assets" / payload["projectId"]
        films.append((path.stem, payload, beside if beside.exists() else path.parent))
    pictures = scratch / "pictures"
    pictures.mkdir()
    moving = moving_tutorial(pictures, resolution=options.resolution)
    return [*films, ("pictures that move", moving, pictures)]


def _measure(way: str, payload: dict[str, Any], assets: Path, scratch: Path) -> dict[str, float]:
    place = Path(tempfile.mkdtemp(dir=scratch))
    order, out = place / "order.json", place / "out"
    out.mkdir()
    film = out / "preview.mp4"
    if way.startswith(("ours", "floor")):
        command = [sys.executable, "-m", "benchmarks.films.ours", str(order), str(out)]
        wish = {
            "payload": payload, "assets": str(assets), "threads": THREADS,
            "cache": None, "floor": way.startswith("floor"),
        }  # fmt: skip
        if way.endswith("edited"):
            wish["cache"] = str(place / "cache")
            order.write_text(json.dumps(wish))
            _run(command)
            wish["payload"] = _edited(payload)
        order.write_text(json.dumps(wish))
    else:
        python = str(MOVIEPY / "bin" / "python") if way == "moviepy" else sys.executable
        command = [python, str(HERE / f"{way}_way.py"), str(order), str(film)]
        order.write_text(json.dumps(scenes_of(storyboard_of(payload, assets))))
    told = _run(command)
    told.setdefault("film", storyboard_of(payload, assets).seconds)
    told["bytes"] = film.stat().st_size if film.exists() else 0
    shutil.rmtree(place)
    return told


def _edited(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload with one word more in a step of its middle."""
    edited = copy.deepcopy(payload)
    steps = edited["previewRequest"]["steps"]
    step = steps[len(steps) // 2]
    if step.get("overlays"):
        step["overlays"][0]["text"] += " again"
    else:
        step["title"] = step.get("title", "") + " again"
    return edited


def _run(command: list[str]) -> dict[str, float]:
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    time.sleep(1.0)  # the next begins on a quiet machine
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _print(name: str, way: str, told: dict[str, float]) -> None:
    size = f"{told['bytes'] / 1e6:.1f}" if told["bytes"] else "–"
    speed = told["film"] / told["seconds"]
    print(
        f"| {name} | {way} | {told['seconds']:.1f} | {speed:.1f} | {told['peak']:.0f} | {size} |",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
