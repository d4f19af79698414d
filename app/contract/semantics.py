"""Rules that a JSON Schema cannot express: unique ids, references, sums, empty tutorials.

Every function takes a payload, or a part of one, that the schema has accepted, and yields one
:class:`ErrorItem` per violation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from app.contract.limits import step_limits
from app.contract.pointer import pointer, quote
from app.errors import ErrorItem

#: Smallest and largest side of the frame, in pixels.
MIN_SIDE, MAX_SIDE = 90, 3840
#: Most pixels of a frame.
MAX_PIXELS = 3840 * 2160
#: Default of ``options.maxDurationSec``.
DEFAULT_MAX_DURATION_SEC: Final = 600
#: Most assets of type ``font``.
MAX_FONTS: Final = 8
#: Default of ``options.language``.
DEFAULT_LANGUAGE: Final = "en"

JsonObject = dict[str, Any]

_REQUEST: Final = "previewRequest"


def violations(payload: JsonObject) -> Iterator[ErrorItem]:
    """Yield every violation of the rules beyond the schema."""
    request = payload[_REQUEST]
    yield from _content(request, dry_run=payload["dryRun"])
    yield from _identities(request)
    yield from _references(request)
    yield from _fonts(request)
    yield from _narrations(request)
    for index, step in enumerate(request["steps"]):
        yield from step_limits(step, (_REQUEST, "steps", index))
    yield from _film(request)


def _content(request: JsonObject, *, dry_run: bool) -> Iterator[ErrorItem]:
    if not (dry_run or request["steps"] or request.get("title", "").strip()):
        detail = "There is nothing to show: give steps, or a title for a title card."
        yield ErrorItem(pointer(_REQUEST, "steps"), "empty-tutorial", detail)


def _identities(request: JsonObject) -> Iterator[ErrorItem]:
    yield from _unique(request["assets"], (_REQUEST, "assets"))
    yield from _unique(request["steps"], (_REQUEST, "steps"))
    for index, step in enumerate(request["steps"]):
        for kind in ("overlays", "visuals"):
            yield from _unique(step.get(kind, ()), (_REQUEST, "steps", index, kind))


def _unique(things: Iterable[JsonObject], path: tuple[str | int, ...]) -> Iterator[ErrorItem]:
    first: dict[str, int] = {}
    for index, thing in enumerate(things):
        name = thing.get("id")
        if name is None:
            continue
        if name in first:
            detail = f"{quote(name)} is already the id of item {first[name]}; ids must be unique."
            yield ErrorItem(pointer(*path, index, "id"), "duplicate-id", detail)
        first.setdefault(name, index)


def _references(request: JsonObject) -> Iterator[ErrorItem]:
    types = {asset["id"]: asset["type"] for asset in request["assets"]}
    for name, wanted, path in _uses(request):
        found = types.get(name)
        if found is None:
            detail = f"No asset has the id {quote(name)}; add it to assets or correct the id."
            yield ErrorItem(pointer(*path), "unknown-asset", detail)
        elif found != wanted:
            detail = (
                f"The asset {quote(name)} has type {found}; an asset of type {wanted} is needed."
            )
            yield ErrorItem(pointer(*path), "wrong-asset-type", detail)


def _uses(request: JsonObject) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    """Yield each assetId, the asset type needed there, and its path."""
    for index, step in enumerate(request["steps"]):
        path = (_REQUEST, "steps", index)
        background = step.get("background", {})
        if "assetId" in background:
            yield background["assetId"], "image", (*path, "background", "assetId")
        for number, visual in enumerate(step.get("visuals", ())):
            yield visual["assetId"], "image", (*path, "visuals", number, "assetId")
    audio = request["audio"]
    for index, track in enumerate(audio.get("narration", ())):
        yield track["assetId"], "audio", (_REQUEST, "audio", "narration", index, "assetId")
    if "music" in audio:
        yield audio["music"]["assetId"], "audio", (_REQUEST, "audio", "music", "assetId")


def _fonts(request: JsonObject) -> Iterator[ErrorItem]:
    fonts = [index for index, asset in enumerate(request["assets"]) if asset["type"] == "font"]
    if len(fonts) > MAX_FONTS:
        detail = f"There are {len(fonts)} fonts; the limit is {MAX_FONTS}."
        yield ErrorItem(pointer(_REQUEST, "assets", fonts[MAX_FONTS]), "too-many", detail)


def _narrations(request: JsonObject) -> Iterator[ErrorItem]:
    """Check that every narration has a step, and every step at most one per language."""
    steps = {step.get("id") for step in request["steps"]}
    taken: set[tuple[str, str]] = set()
    for index, track in enumerate(request["audio"].get("narration", ())):
        step_id, path = track["stepId"], (_REQUEST, "audio", "narration", index, "stepId")
        if step_id not in steps:
            detail = f"No step has the id {quote(step_id)}; add a step or correct the id."
            yield ErrorItem(pointer(*path), "unknown-step", detail)
        key = (step_id, track_language(track, request))
        if key in taken:
            detail = f"The step {quote(step_id)} already has a narration in {key[1]}; keep one."
            yield ErrorItem(pointer(*path), "duplicate-narration", detail)
        taken.add(key)


def film_language(request: JsonObject) -> str:
    """Return the language of a film, in lower case."""
    language: str = request.get("options", {}).get("language", DEFAULT_LANGUAGE)
    return language.lower()


def track_language(track: JsonObject, request: JsonObject) -> str:
    """Return the language of a narration, by default the film's, in lower case."""
    language: str = track.get("language") or film_language(request)
    return language.lower()


def _film(request: JsonObject) -> Iterator[ErrorItem]:
    options = request.get("options", {})
    path = (_REQUEST, "options")
    if "resolution" in options:
        yield from _resolution(options["resolution"], pointer(*path, "resolution"))
    given = [step["durationSec"] for step in request["steps"] if "durationSec" in step]
    total, limit = sum(given), options.get("maxDurationSec", DEFAULT_MAX_DURATION_SEC)
    if total > limit:
        detail = f"The durations add up to {total:g} s; the limit is {limit:g} s."
        yield ErrorItem(pointer(_REQUEST, "steps"), "duration-too-long", detail)
    poster = options.get("posterAtSec")
    known = bool(given) and len(given) == len(request["steps"])
    if poster is not None and known and poster >= total:
        detail = f"{poster:g} s is after the end of the film, which lasts {total:g} s."
        yield ErrorItem(pointer(*path, "posterAtSec"), "outside-film", detail)


def _resolution(text: str, where: str) -> Iterator[ErrorItem]:
    width, height = map(int, text.split("x"))
    sides = min(width, height) >= MIN_SIDE and max(width, height) <= MAX_SIDE
    if sides and width * height <= MAX_PIXELS and width % 2 == height % 2 == 0:
        return
    detail = (
        f"{text} is not supported; both sides must be even and between {MIN_SIDE} and {MAX_SIDE}, "
        f"with at most {MAX_PIXELS} pixels in all (3840x2160)."
    )
    yield ErrorItem(where, "bad-resolution", detail)
