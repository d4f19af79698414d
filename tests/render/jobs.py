"""Random jobs that the contract accepts: generated from the schema, then repaired."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from app.contract import load_contract
from app.errors import ValidationFailed
from tests.contract.strategies import values
from tests.render.films import write_wav
from tests.render.pictures import animated, plain, saved

DEFS: Final = load_contract().schema["$defs"]
#: Small sizes in extreme shapes.
RESOLUTIONS: Final = ["160x90", "90x160", "128x96", "300x90"]
#: Texts that random generation from the schema rarely finds.
TEXTS: Final = [
    "Place the board.",
    "Draw 3 cards, e.g. a meeple. " * 12,
    "\u0636\u0639 \u0627\u0644\u0644\u0648\u062d\u0629 3",  # Arabic
    "\u05d4\u05e0\u05d9\u05d7\u05d5 (\u05d0\u05ea) \u05d4\u05dc\u05d5\u05d7",  # Hebrew
    "\u63a8\u4e00\u5f20\u724c\u3002",  # Chinese
    "\u0e27\u0e32\u0e07\u0e01\u0e23\u0e30\u0e14\u0e32\u0e19",  # Thai
    "\u0915\u093e\u0930\u094d\u0921",  # Devanagari
    "\U0001f3b2\u200d\U0001f468\u200d\U0001f469",
    "\n\t \n",
    "x" * 400,
    "\u202eabc\u202c",
    "e\u0301" * 30,
    "<b>&amp;</b> {\\an8} %{text}",
]
PICTURES: Final = ["wide", "tall", "dot", "cmyk", "moving", "broken"]
SOUNDS: Final = ["short", "long", "silent"]
#: Rounds of repair. A payload that is then still refused is discarded.
ROUNDS: Final = 12


def write_assets(directory: Path) -> None:
    """Write the assets of all jobs."""
    files = {
        "wide": saved(plain(size=(400, 100)), "PNG"),
        "tall": saved(plain("RGBA", (10, 200, 30, 128), size=(50, 300)), "WEBP"),
        "dot": saved(plain(size=(1, 1)), "PNG"),
        "cmyk": saved(plain("CMYK", (0, 255, 255, 0), size=(64, 64)), "JPEG"),
        "moving": animated("GIF"),
        "broken": saved(plain(size=(300, 200)), "JPEG")[:-100],
    }
    for name, content in files.items():
        (directory / name).write_bytes(content)
    write_wav(directory / "short", seconds=0.6, rate=8_000)
    write_wav(directory / "long", seconds=1.1, rate=44_100, channels=2)
    write_wav(directory / "silent", seconds=0.5, amplitude=0)


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any] | None:
    """Draw a live job; None if it cannot be repaired."""
    steps = draw(st.lists(values(DEFS["step"], DEFS), max_size=3))
    for index, step in enumerate(steps):
        step["id"] = f"step-{index}"
        step["durationSec"] = draw(st.sampled_from([0.5, 0.7, 1, 1.3, 2.5]))
        name = draw(st.sampled_from(["body", "narration", "title"]))
        step[name] = draw(st.sampled_from(TEXTS))[: 160 if name == "title" else 2000]
        if "visuals" not in step and draw(st.booleans()):
            step["visuals"] = [{"assetId": "wide"}]
    options = {
        **draw(values(DEFS["options"], DEFS)),
        "resolution": draw(st.sampled_from(RESOLUTIONS)),
    }
    kinds = dict.fromkeys(PICTURES, "image") | dict.fromkeys(SOUNDS, "audio")
    request = {
        "title": draw(st.sampled_from(TEXTS))[:200],
        "steps": steps,
        "assets": [{"id": name, "type": kind, "path": name} for name, kind in kinds.items()],
        "audio": _audio(draw),
        "options": options,
    }
    for reference, wanted in _references(request):
        # A broken picture ends the render, so it is rare.
        choice = PICTURES if draw(st.integers(0, 11)) == 0 else PICTURES[:-1]
        options_of = {"image": choice, "audio": SOUNDS, "step": [s["id"] for s in steps]}[wanted]
        if options_of:
            reference["stepId" if wanted == "step" else "assetId"] = draw(
                st.sampled_from(options_of)
            )
    payload = {"jobId": "job", "projectId": "p", "requestId": "r", "previewRequest": request}
    return mended({**payload, "dryRun": False})


def _audio(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the sound. Unplayable music and voices are rare, because they end the render."""
    audio: dict[str, Any] = draw(values(DEFS["audio"], DEFS))
    if draw(st.integers(0, 5)):
        audio.get("music", {}).pop("startSec", None)
        audio.get("voice", {}).pop("voiceId", None)
    return audio


def _references(request: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    found: list[tuple[dict[str, Any], str]] = []
    for step in request["steps"]:
        if "assetId" in step.get("background", {}):
            found.append((step["background"], "image"))
        found += [(visual, "image") for visual in step.get("visuals", ())]
    for track in request["audio"].get("narration", ()):
        found += [(track, "audio"), (track, "step")]
    if "music" in request["audio"]:
        found.append((request["audio"]["music"], "audio"))
    return found


def mended(payload: dict[str, Any]) -> dict[str, Any] | None:
    """Remove what the contract refuses, until it accepts the rest."""
    for _ in range(ROUNDS):
        try:
            load_contract().check(payload)
        except ValidationFailed as refused:
            for pointer in sorted({item.pointer for item in refused.errors}, reverse=True):
                too_long = pointer == "/previewRequest/steps"
                at = "/previewRequest/options/maxDurationSec" if too_long else pointer
                _take_out(payload, at.split("/")[1:])
        else:
            return payload
    return None


def _take_out(payload: Any, path: list[str]) -> None:
    *way, last = path
    for part in way:
        if isinstance(payload, list):
            payload = payload[int(part)] if int(part) < len(payload) else {}
        else:
            payload = payload.get(part.replace("~1", "/").replace("~0", "~"), {})
    if isinstance(payload, list):
        del payload[int(last) : int(last) + 1]
    else:
        payload.pop(last.replace("~1", "/").replace("~0", "~"), None)
