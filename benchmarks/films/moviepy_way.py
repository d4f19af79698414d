"""MoviePy 2, as its guide says, in an environment of its own: ``moviepy_way.py SCENES OUT``."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from moviepy import (  # type: ignore[import-not-found]  # in an environment of its own
    ColorClip,
    CompositeVideoClip,
    ImageClip,
    TextClip,
    concatenate_videoclips,
)


def main() -> None:
    """Render and print seconds and peak memory."""
    film, out = json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]
    began = time.perf_counter()
    clips = [_scene(film, scene) for scene in film["scenes"]]
    concatenate_videoclips(clips).write_videofile(
        out, fps=film["fps"], codec="libx264", preset="fast", audio=False, threads=2, logger=None
    )
    seconds = time.perf_counter() - began
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = sum(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}) + "\n")


def _scene(film: dict[str, Any], scene: dict[str, Any]) -> Any:
    size, seconds = (film["width"], film["height"]), scene["seconds"]
    ground = tuple(bytes.fromhex(scene["colour"][1:]))
    layers = [ColorClip(size, color=ground, duration=seconds)]
    layers += [_picture(picture, seconds) for picture in scene["pictures"]]
    for text in scene["texts"]:
        # The height leaves room below: without it MoviePy cuts descenders off.
        clip = TextClip(
            font=text["font"],
            text=text["text"],
            font_size=text["size"],
            color="white",
            margin=(0, 0, 0, text["size"] // 2),
        )
        clip = clip.with_position((text["x"], text["y"])).with_start(text["start"])
        layers.append(clip.with_duration(text["end"] - text["start"]))
    return CompositeVideoClip(layers, size=size).with_duration(seconds)


def _picture(picture: dict[str, Any], seconds: float) -> Any:
    clip = ImageClip(picture["path"]).with_duration(seconds)
    wide, high = picture["width"], picture["height"]
    cover = max(wide / clip.w, high / clip.h)
    place = (picture["x"], picture["y"])
    if picture["motion"] is None:
        return clip.resized(cover).cropped(width=wide, height=high).with_position(place)
    (first, x, y), (then, to_x, to_y) = picture["motion"]
    width, height = clip.w * cover, clip.h * cover

    def factor(t: float) -> float:
        return float(first + (then - first) * t / seconds)

    def corner(t: float) -> tuple[float, float]:
        share, grown = t / seconds, factor(t)
        left = place[0] + (wide - width * grown) / 2 - wide * (x + (to_x - x) * share)
        top = place[1] + (high - height * grown) / 2 - high * (y + (to_y - y) * share)
        return left, top

    return clip.resized(lambda t: cover * factor(t)).with_position(corner)


if __name__ == "__main__":
    main()
