"""What the contract accepts and this version does not render.

Each such wish is refused by name, or told as a warning of a dry run: it is
never silently ignored. A feature that is built is deleted from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.contract.pointer import pointer
from app.contract.semantics import film_language, track_language
from app.errors import ErrorItem

#: Layouts that are rendered.
LAYOUT_MODES: Final = frozenset({"auto", "text-only"})
#: Asset types that are used.
ASSET_TYPES: Final = frozenset({"image", "audio"})

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]


def unsupported_features(payload: JsonObject) -> Iterator[ErrorItem]:
    """Yield one item, code ``unsupported-feature``, for each wish that is not rendered.

    Args:
        payload: A payload that the schema has accepted.
    """
    request, path = payload["previewRequest"], ("previewRequest",)
    for index, step in enumerate(request["steps"]):
        yield from _step(step, (*path, "steps", index))
    for index, asset in enumerate(request["assets"]):
        yield from _asset(asset, (*path, "assets", index))
    yield from _audio(request, (*path, "audio"))
    yield from _options(request, (*path, "options"))


def _item(path: Path, feature: str, remedy: str) -> ErrorItem:
    detail = f"{feature} is not rendered by this version; {remedy}."
    return ErrorItem(pointer(*path), "unsupported-feature", detail)


def _step(step: JsonObject, path: Path) -> Iterator[ErrorItem]:
    for name, value in step.get("layout", {}).items():
        if name != "mode":
            yield _item((*path, "layout", name), f"layout.{name}", "leave it out")
        elif value not in LAYOUT_MODES:
            yield _item((*path, "layout", name), f"The layout {value}", "use auto or text-only")
    yield from _motion(step.get("motion"), (*path, "motion"))
    for index, visual in enumerate(step.get("visuals", ())):
        for number, motion in enumerate(visual.get("motions", ())):
            yield from _motion(motion, (*path, "visuals", index, "motions", number))
    kind = step.get("transition", {}).get("in", "cut")
    if kind != "cut":
        yield _item((*path, "transition", "in"), f"The transition {kind}", "use cut")
    yield from _opaque(step.get("accentColor"), (*path, "accentColor"))
    for index, overlay in enumerate(step.get("overlays", ())):
        yield from _opaque(overlay.get("color"), (*path, "overlays", index, "color"))
    if step.get("callouts"):
        yield _item((*path, "callouts"), "A callout", "leave callouts out")


def _opaque(colour: str | None, path: Path) -> Iterator[ErrorItem]:
    if colour and colour.startswith("#") and colour[7:].lower() not in ("", "ff"):
        yield _item(path, f"The translucent colour {colour}", f"use {colour[:7]}")


def _motion(motion: JsonObject | None, path: Path) -> Iterator[ErrorItem]:
    if motion and motion["type"] != "hold":
        yield _item((*path, "type"), f"The motion {motion['type']}", "use hold")


def _asset(asset: JsonObject, path: Path) -> Iterator[ErrorItem]:
    if asset["type"] not in ASSET_TYPES:
        yield _item((*path, "type"), f"An asset of type {asset['type']}", "use image or audio")
    if "uri" in asset:
        yield _item((*path, "uri"), "An asset by uri", "copy the file and give its path")


def _audio(request: JsonObject, path: Path) -> Iterator[ErrorItem]:
    audio = request["audio"]
    for name in ("music", "ducking", "loudness"):
        if audio.get(name):
            yield _item((*path, name), f"audio.{name}", "leave it out")
    provider = audio.get("voice", {}).get("provider", "none")
    if provider != "none":
        yield _item(
            (*path, "voice", "provider"), f"The voice {provider}", "use none and give recordings"
        )
    languages: dict[str, str] = {}
    for index, track in enumerate(audio.get("narration", ())):
        language = track_language(track, request)
        if languages.setdefault(track["stepId"], language) != language:
            yield _item(
                (*path, "narration", index), "A second language of a step", "keep one narration"
            )


def _options(request: JsonObject, path: Path) -> Iterator[ErrorItem]:
    options = request.get("options", {})
    if options.get("format", "mp4") != "mp4":
        yield _item((*path, "format"), f"The format {options['format']}", "use mp4")
    if options.get("burnInCaptions"):
        yield _item((*path, "burnInCaptions"), "Drawing captions into the picture", "use false")
    for index, language in enumerate(options.get("captionLanguages", ())):
        if language.lower() != film_language(request):
            yield _item(
                (*path, "captionLanguages", index),
                f"A caption in {language}, which is not the film's language,",
                "leave it out",
            )
