"""Plain ffmpeg: one process a scene and one to join them. ``ffmpeg_way.py SCENES OUT``.

The way of the system that this one replaces: libx264 at preset fast, drawtext, zoompan, and a
concatenation of the scenes without encoding again.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Render and print seconds and peak memory."""
    film, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    began = time.perf_counter()
    parts = [
        _scene(film, scene, out.parent / f"part-{n}") for n, scene in enumerate(film["scenes"])
    ]
    joined = out.parent / "parts.txt"
    joined.write_text("".join(f"file '{part}'\n" for part in parts))
    _ffmpeg(
        "-f",
        "concat",
        "-safe",
        "0",
        "-i",
        str(joined),
        "-f",
        "lavfi",
        "-i",
        "anullsrc=r=48000:cl=stereo",
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        "-b:a",
        "192k",
        "-shortest",
        "-movflags",
        "+faststart",
        str(out),
    )
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}) + "\n")


def _scene(film: dict[str, Any], scene: dict[str, Any], place: Path) -> Path:
    place.mkdir()
    seconds = f"{scene['seconds']:.6f}"
    size, fps = f"{film['width']}x{film['height']}", film["fps"]
    inputs = ["-f", "lavfi", "-i", f"color=c={scene['colour']}:s={size}:r={fps}:d={seconds}"]
    chain, last = [], "0:v"
    for number, picture in enumerate(scene["pictures"], start=1):
        moving = picture["motion"] is not None
        inputs += [] if moving else ["-loop", "1", "-framerate", str(fps), "-t", seconds]
        inputs += ["-i", picture["path"]]
        chain.append(f"[{number}:v]{_fitted(picture, scene, fps)}[p{number}]")
        chain.append(
            f"[{last}][p{number}]overlay={picture['x']}:{picture['y']}:shortest=1[o{number}]"
        )
        last = f"o{number}"
    texts = [_text(text, place / f"text-{n}") for n, text in enumerate(scene["texts"])]
    chain.append(f"[{last}]{','.join([*texts, 'format=yuv420p'])}[out]")
    part = place / "part.mp4"
    _ffmpeg(
        *inputs,
        "-filter_complex",
        ";".join(chain),
        "-map",
        "[out]",
        "-t",
        seconds,
        "-c:v",
        "libx264",
        "-preset",
        "fast",
        "-crf",
        "20",
        "-r",
        str(fps),
        str(part),
    )
    return part


def _fitted(picture: dict[str, Any], scene: dict[str, Any], fps: int) -> str:
    wide, high = picture["width"], picture["height"]
    if picture["motion"] is None:
        return f"scale={wide}:{high}:force_original_aspect_ratio=increase,crop={wide}:{high}"
    (first, x, y), (then, to_x, to_y) = picture["motion"]
    frames = max(1, round(scene["seconds"] * fps) - 1)
    part = f"on/{frames}"
    return (
        f"zoompan=z='{first}+({then}-{first})*{part}':d={frames + 1}:s={wide}x{high}:fps={fps}"
        f":x='iw/2-iw/zoom/2+iw*({x}+({to_x}-{x})*{part})'"
        f":y='ih/2-ih/zoom/2+ih*({y}+({to_y}-{y})*{part})'"
    )


def _text(text: dict[str, Any], file: Path) -> str:
    file.write_text(text["text"])
    return (
        f"drawtext=fontfile={text['font']}:textfile={file}:fontsize={text['size']}:fontcolor=white"
        f":x={text['x']}:y={text['y']}:enable='between(t,{text['start']},{text['end']})'"
    )


def _ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
