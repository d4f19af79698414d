"""Make the pictures and recordings of the demo tutorial, and write their digests into payloads.

    python -m scripts.make_example_assets            make them; recordings require espeak-ng
    python -m scripts.make_example_assets --check    only report payloads that are out of date

The pictures, and the game Pebblewick that they show, were made for this project. Another version of
Pillow may write different bytes, so commit assets and payloads together.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from pathlib import Path
from typing import Any

import orjson

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
#: Assets of the project ``demo``.
ASSETS = EXAMPLES / "assets" / "demo"
#: Payloads that use these assets.
PAYLOADS = (EXAMPLES / "tutorial.json", EXAMPLES / "payload-full.json")
#: Payload with the texts of the narration.
TUTORIAL = PAYLOADS[0]
#: Keeps every picture below 250 kB without visible loss.
JPEG_QUALITY = 86


def draw_pictures() -> None:
    """Write every picture."""
    from scripts.example_assets.scenes import PICTURES, draw  # noqa: PLC0415 - --check needs no Pillow

    (ASSETS / "pictures").mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        path = ASSETS / "pictures" / name
        draw(name).save(path, quality=JPEG_QUALITY, subsampling=0, optimize=True)
        print(f"{path.stat().st_size:8} {path.name}")


def speak_narration() -> None:
    """Write one recording for each step."""
    from scripts.example_assets.voice import RATE, speak, write_opus  # noqa: PLC0415 - see above

    (ASSETS / "narration").mkdir(parents=True, exist_ok=True)
    for step in orjson.loads(TUTORIAL.read_bytes())["previewRequest"]["steps"]:
        path = ASSETS / "narration" / f"{step['id']}.ogg"
        samples = speak(step["narration"])
        write_opus(samples, path)
        print(f"{path.stat().st_size:8} {path.name} {len(samples) / RATE:.2f} s")


def with_digests(payload: dict[str, Any]) -> dict[str, Any]:
    """Set the sizes and digests of a payload's assets to those of their files."""
    for asset in payload["previewRequest"]["assets"]:
        data = (ASSETS / asset["path"]).read_bytes()
        asset["sha256"], asset["bytes"] = hashlib.sha256(data).hexdigest(), len(data)
    return payload


def main() -> int:
    """Run the command line. Return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    if not check:
        draw_pictures()
        if shutil.which("espeak-ng"):
            speak_narration()
        else:
            print("espeak-ng is not installed, so the recordings were not changed")
    stale = 0
    for path in PAYLOADS:
        before = path.read_bytes()
        after = orjson.dumps(with_digests(orjson.loads(before)), option=orjson.OPT_INDENT_2) + b"\n"
        if before != after:
            stale += 1
            print(f"{path.name}: {'out of date' if check else 'updated'}")
            if not check:
                path.write_bytes(after)
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
